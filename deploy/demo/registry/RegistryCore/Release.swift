import FoundationEssentials

/// Which release of the service runs: its version and the generation of code that it selects.
///
/// The version is the content of the file `RELEASE` in the bundle, beside the executable.
package struct Release: Sendable, Equatable {
    /// A generation of the service's code.
    package enum Generation: Sendable, Equatable, CaseIterable {
        /// 1.x: schema 1, one CSV file a dataset, plain features.
        case one
        /// 2.0.x: schema 2, versioned datasets, feature cache, vectorized features.
        case two
        /// 2.1.x: as 2.0, with the vectorized features written anew over a column matrix.
        case twoOne
    }

    /// The version as the bundle states it, such as `2.0.0`.
    package let version: String
    /// The generation of code that this version runs.
    package let generation: Generation

    /// The release of a version number; refuses one that this build has no code for.
    package init(version: String) throws(RegistryProblem) {
        let parts = version.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt16($0) }
        guard parts.count == 3, numbers.count == 3 else {
            throw RegistryProblem(
                .invalid, "release \"\(version)\" is not a version: expected MAJOR.MINOR.PATCH")
        }
        switch (numbers[0], numbers[1]) {
        case (1, _): generation = .one
        case (2, 0): generation = .two
        case (2, 1): generation = .twoOne
        default:
            throw RegistryProblem(
                .invalid,
                "release \(version) is unknown: this build has the code of 1.x, 2.0.x and 2.1.x")
        }
        self.version = version
    }

    /// Reads the release from a bundle's `RELEASE` file.
    package static func read(from path: String) throws(RegistryProblem) -> Release {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw RegistryProblem(
                .unavailable,
                "cannot read the release from \(path): "
                    + "unpack the whole bundle, the file RELEASE stands beside the executable")
        }
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return try Release(version: line)
    }

    /// The database schema (`user_version`) that this release works with.
    package var schema: Int {
        switch generation {
        case .one: 1
        case .two, .twoOne: 2
        }
    }

    /// The code that computes features in this release.
    package var engine: any FeatureEngine {
        switch generation {
        case .one: FeaturesV1()
        case .two: FeaturesV2()
        case .twoOne: FeaturesV21()
        }
    }
}
