package import FleetWire
import Glibc

extension PointStore {
    /// What the last scrub found, and how far it came; nil if none ran or its file is damaged.
    package func scrubState() throws -> ScrubState? {
        let bytes = try files.contents(
            of: ScrubState.fileName, atMost: SnapshotLimits.settingsBytesMax)
        guard let bytes, let state = try? WireJSON.decode(ScrubState.self, from: bytes),
            state.version == ScrubState.version
        else { return nil }
        return state
    }

    /// Rehashes all manifests and packs in the background: on a thread of its own at idle priority,
    /// reading at most `pace` bytes a second (nil: as fast as the idle disk gives).
    ///
    /// It goes on where an interrupted one stopped. `report` is called with each finding, `progress`
    /// at a bounded rate, both on that thread while the caller waits; `isCancelled` ends it within a
    /// record. Nothing is repaired; captures, restores and prunes go on meanwhile. The state is
    /// durable after each pack. Throws `PointError` if the store cannot be read at all.
    package func scrub(
        pace: ByteCount?, isCancelled: () -> Bool = { false },
        report: (ScrubFinding) -> Void = { _ in }, progress: (PointProgress) -> Void = { _ in }
    ) throws -> ScrubState {
        try withoutActuallyEscaping(isCancelled) { isCancelled in
            try withoutActuallyEscaping(report) { report in
                try withoutActuallyEscaping(progress) { progress in
                    let scrub = Scrub(
                        store: self, pace: pace, isCancelled: isCancelled, report: report,
                        progress: progress)
                    // A test that interposes on calls has to see them on its own thread.
                    guard !files.calls.isInterposed else { return try scrub.run() }
                    return try IdleThread.run { try scrub.run() }
                }
            }
        }
    }
}

/// One run over all packs.
private final class Scrub {
    private let store: PointStore
    private let pace: ByteCount?
    private let isCancelled: () -> Bool
    private let report: (ScrubFinding) -> Void
    private let codecs: RecordCodecs
    private var state: ScrubState
    private let meter: ProgressMeter
    private var read: UInt64 = 0
    private let began = ContinuousClock.now
    private var files: StoreFiles { store.files }

    init(
        store: PointStore, pace: ByteCount?, isCancelled: @escaping () -> Bool,
        report: @escaping (ScrubFinding) -> Void, progress: @escaping (PointProgress) -> Void
    ) {
        self.store = store
        self.pace = pace
        self.isCancelled = isCancelled
        self.report = report
        meter = ProgressMeter(progress)
        meter.begin(.scrubbing)
        codecs = RecordCodecs(keyed: (try? store.keys.writing()) ?? .plain)
        let last = (try? store.scrubState()) ?? nil
        state = last.flatMap { $0.ended == nil ? $0 : nil } ?? ScrubState(began: Self.now)
    }

    private static var now: Timestamp {
        Timestamp(milliseconds: wallClockNanoseconds() / 1_000_000)
    }

    func run() throws -> ScrubState {
        if state.lastPack == nil { try lookAtManifests() }
        for name in try ObjectReader.names(files) where name > state.lastPack ?? "" {
            guard try lookAt(name) else { return state }
            state.lastPack = name
            try save()
        }
        state.ended = Self.now
        try save()
        meter.end()
        return state
    }

    private func save() throws {
        try files.replace("", ScrubState.fileName, try WireJSON.encode(state))
    }

    private func found(_ finding: ScrubFinding) {
        report(finding)
        guard state.findings.count < SnapshotLimits.findingsMax,
            !state.findings.contains(finding)
        else { return }
        state.findings.append(finding)
    }

    private func lookAtManifests() throws {
        for id in try store.ids() {
            do {
                _ = try store.manifest(id)
            } catch let error as PointError where error.isDamage {
                found(ScrubFinding(point: id, problem: error.cause))
            } catch is PointError {
                // It was pruned meanwhile, or its key is not here, which is no damage.
            }
        }
    }

    /// False if it was cancelled within the pack, which the next run begins again.
    private func lookAt(_ name: String) throws -> Bool {
        let lock = try StoreLock.objectsInUse(files)
        defer { withExtendedLifetime(lock) {} }
        guard try files.isThere("packs/" + name) else { return true }
        let path = files.path(of: "packs/" + name)
        let file: Descriptor
        let records: [PackRecord]
        do {
            file = try files.open("packs/" + name, O_RDONLY | O_NOFOLLOW)
            records = try PackFormat.records(of: file, path: path)
        } catch let error as PointError where error.isDamage {
            found(ScrubFinding(pack: name, problem: "\(error.cause); repair the store"))
            return true
        } catch let error as PointError where error.code == ENOENT {
            // A capture that failed has removed it.
            return true
        }
        var headers = PackHeaders(key: codecs.keyed.key)
        var unopened: [(ObjectID, PointError)] = []
        var isOurs = false
        defer {
            if let damage = headers.damage {
                found(ScrubFinding(pack: name, problem: "\(damage); repair the store"))
            }
        }
        for record in records {
            if isCancelled() { return false }
            do {
                _ = try codecs.read(record, of: file, files, name)
                try headers.look(at: record, of: file, path)
                if record.codec.isSealed { isOurs = true }
            } catch let error as PointError where error.isWrongKey {
                unopened.append((record.id, error))
            } catch let error as PointError {
                let object = error.isDamage ? record.id.digest : nil
                found(ScrubFinding(pack: name, object: object, problem: error.cause))
                // What the system refuses it will refuse again.
                if object == nil { return true }
            }
            count(record)
        }
        if isOurs {
            for (id, _) in unopened {
                found(ScrubFinding(pack: name, object: id.digest, problem: "its seal is broken"))
            }
        } else if let (_, error) = unopened.first {
            found(ScrubFinding(pack: name, problem: error.cause))
        }
        return true
    }

    private func count(_ record: PackRecord) {
        let bytes = UInt64(record.bytesInPack)
        state.bytes.count &+= bytes
        read += bytes
        meter.add(bytes: bytes)
        guard let pace, pace.count > 0 else { return }
        let due = began + .milliseconds(Int64(clamping: read * 1000 / pace.count))
        while ContinuousClock.now < due, !isCancelled() {
            let rest = (due - ContinuousClock.now) / .milliseconds(1)
            usleep(UInt32(max(1, min(100, rest))) * 1000)
        }
    }
}
