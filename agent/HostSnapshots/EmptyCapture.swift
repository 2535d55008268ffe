import FleetWire
import Glibc

/// What keeps an empty capture from standing in for what was lost: a component that held something
/// at its last capture or restore must hold something at the next. The format's section "Empty".
extension PointStore {
    private static let marks = "restored.json"

    /// What a restore left of a component.
    private struct RestoreMark: Codable {
        /// The newest point that there was: a later capture says more than this.
        var after: PointID?
        /// Entries that the component holds since.
        var held: Int
    }

    /// Throws `PointError` if the component held something when it was last captured or restored.
    func checkMayBeEmpty(_ spec: ComponentSpec) throws {
        let mark = try marks()[spec.name.rawValue]
        for id in try ids().reversed() {
            if let mark, mark.after.map({ id <= $0 }) ?? false {
                if mark.held == 0 { return }
                throw Self.isEmpty(spec, "it was restored after \(mark.after ?? id)")
            }
            guard let (manifest, _) = try? manifest(id),
                let last = manifest.components.first(where: { $0.spec.name == spec.name })
            else { continue }
            if last.held ?? last.entries == 0 { return }
            throw Self.isEmpty(spec, "point \(id) holds \(last.held ?? last.entries) entries of it")
        }
    }

    private static func isEmpty(_ spec: ComponentSpec, _ before: String) -> PointError {
        PointError(
            "capture", "component \(spec.name)", "it is empty now, and \(before)",
            "bring back what is missing (is a file system not mounted?), or give the component "
                + "allow_empty: true if it may be empty")
    }

    /// Notes what a restore left of components, so that one to an empty state can be captured again.
    func noteRestored(_ components: [Manifest.Component]) throws {
        var marks = try self.marks()
        let newest = try ids().last
        for part in components {
            marks[part.spec.name.rawValue] = RestoreMark(
                after: newest, held: part.held ?? part.entries)
        }
        try files.replace("", Self.marks, WireJSON.encode(marks))
    }

    private func marks() throws -> [String: RestoreMark] {
        guard let bytes = try files.contents(of: Self.marks, atMost: 1 << 20),
            let marks = try? WireJSON.decode([String: RestoreMark].self, from: bytes)
        else { return [:] }
        return marks
    }
}
