import FleetWire

/// The files beside a plan: templates and SQL that are put into it, artifacts that are hashed.
struct InlinedFiles {
    /// Collects problems while files are read; a class, since reading goes on in closures.
    final class Problems {
        var all: [PlacedProblem] = []

        func add(_ path: PlanPath, _ message: String) {
            all.append(PlacedProblem(severity: .error, path: path, message: message))
        }
    }

    /// The plan's folder; empty for the working directory.
    let folder: String
    let problems = Problems()

    /// The text of the file `name`, or nil once the problem was noted.
    func inline(_ name: String, _ path: PlanPath) -> String? {
        do {
            let bytes = try LocalFile(at(name)).read(bytesMax: PlanLimits.planBytesMax)
            if let text = String(validating: bytes, as: UTF8.self) { return text }
            problems.add(path, "\(at(name)) is not UTF-8 text")
        } catch {
            problems.add(path, error.reason)
        }
        return nil
    }

    /// The artifacts, hashed where they are local files; an artifact that cannot be read keeps its
    /// name, so that steps that use it are not reported too.
    func artifacts(_ value: PlacedValue?) -> (refs: [ArtifactRef], files: [Digest: String]) {
        var refs: [ArtifactRef] = []
        var files: [Digest: String] = [:]
        let root = PlanPath()["artifacts"]
        for entry in value?.entries ?? [] {
            let path = root[entry.key]
            var ref = ArtifactRef(name: entry.key, digest: Self.noDigest, size: ByteCount(0))
            if let name = entry.value["file"]?.text {
                if entry.value["size"] != nil {
                    problems.add(path["size"], "`size` goes with `digest`; a file has its own")
                }
                do {
                    (ref.digest, ref.size) = try LocalFile(at(name)).digest()
                    files[ref.digest] = at(name)
                } catch {
                    problems.add(path["file"], error.reason)
                }
            } else if let digest = entry.value["digest"]?.digest {
                ref.digest = digest
                if let size = entry.value["size"]?.size {
                    ref.size = size
                } else {
                    problems.add(path, "an artifact with `digest` needs `size`")
                }
            }
            refs.append(ref)
        }
        return (refs, files)
    }

    private func at(_ name: String) -> String {
        name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    }

    private static let noDigest = Digest(bytes: [UInt8](repeating: 0, count: 32))!
}
