import FleetTransport
import FleetWire
import Glibc

/// The driver `command`: the operator's programs write the state to their standard output, which is
/// kept as a stream, and take it back from their standard input.
struct CommandDriver: ComponentDriving {
    let component: CommandComponent
    let name: ComponentName
    let host: DriverHost
    let phase = RestorePhase.afterFiles

    /// The exit code of a capture that found nothing.
    private static let nothing: Int32 = 3

    func check() throws {
        for argv in [component.capture, component.restore] where argv.first?.isEmpty ?? true {
            throw PointError(
                "capture", "component \(name)", "it names no program", "correct the plan")
        }
    }

    func entries(into sink: any ObjectSink, point: PointID?) throws -> [Entry] {
        let programs = programs("capture")
        let scratch = try ScratchFile("stream", host.store)
        let limit = Int(clamping: component.bytesMax?.count ?? SnapshotLimits.streamBytesMax)
        let (code, result) = try programs.run(
            component.capture, output: scratch.file, bytesMax: limit)
        var entry = Entry(kind: .stream, path: Array(name.rawValue.utf8))
        switch code {
        case 0:
            (entry.chunks, entry.size) = try scratch.store(into: sink)
            entry.target = Array("sha256:\(try digest(scratch).hex)".utf8)
        case Self.nothing:
            guard component.remove != nil || point == nil else {
                throw programs.failure(
                    "its capture found nothing (exit 3), and no remove says how a restore makes "
                        + "that so", nil, "add remove to the component, or make the state first")
            }
            entry.target = Array("absent".utf8)
        default:
            throw programs.failure(
                "\(component.capture.first ?? "") exited \(code); 0 is done, 3 nothing there",
                result)
        }
        if point != nil, code == 0 { try verify(programs) }
        return [entry]
    }

    func checkRestore(to captured: [Entry]) throws {
        guard captured.count == 1, captured[0].kind == .stream else {
            throw PointError.damaged("component \(name)", "it holds no stream")
        }
    }

    func restore(
        to captured: [Entry], from objects: ObjectReader, beforeChange: (String) throws -> Void
    ) throws {
        guard let entry = captured.first else { return }
        let programs = programs("restore")
        if entry.target == Array("absent".utf8) {
            guard let remove = component.remove else {
                throw programs.failure("nothing was captured and no remove is named")
            }
            try beforeChange("remove \(name)")
            try programs.succeed(remove)
            return
        }
        let scratch = try ScratchFile("stream", host.store)
        try scratch.fill(with: entry, from: objects)
        try beforeChange("restore \(name)")
        try programs.succeed(component.restore, input: scratch.file)
        try verify(programs)
    }

    private func verify(_ programs: DriverPrograms) throws {
        guard let verify = component.verify else { return }
        try programs.succeed(
            verify, remedy: "its verify says that the state is not sound; run it by hand")
    }

    /// Of all of its bytes, wherever chunks are cut.
    private func digest(_ scratch: ScratchFile) throws -> Digest {
        let hash = SHA256Hasher()
        var buffer = [UInt8](repeating: 0, count: SnapshotLimits.chunkBytes)
        var offset = 0
        while true {
            try host.stop.check()
            let count = try buffer.withUnsafeMutableBytes {
                try scratch.file.read($0, at: offset, Array(scratch.path.utf8))
            }
            if count == 0 { return hash.finish() }
            buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += count
        }
    }

    private func programs(_ attempt: String) -> DriverPrograms {
        var programs = DriverPrograms(
            attempt: attempt, subject: "component \(name)", root: host.root.path,
            timeout: component.timeout ?? .seconds(600))
        programs.environment = component.env
        programs.stop = host.stop
        return programs
    }
}
