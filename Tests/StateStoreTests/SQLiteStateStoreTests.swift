import FleetWire
import Foundation
import SQLiteFile
import StateStore
import Testing

@Suite("The SQLite store")
struct SQLiteStateStoreTests {
    @Test("keeps everything over a reopening")
    func reopen() async throws {
        let scratch = try Scratch()
        let store = try SQLiteStateStore(directory: scratch.path)
        _ = try await store.append([record(1), record(2)], expecting: 0)
        try await store.save(Checkpoint(stream: "fleet", sequence: 2, state: [9]))
        _ = try await store.raiseGeneration()
        await store.close()
        await #expect(throws: StoreError.closed) {
            try await store.append([record(3)], expecting: 2)
        }
        let again = try SQLiteStateStore(directory: scratch.path)
        #expect(await again.lastSequence() == 2)
        #expect(try await again.checkpoint(of: "fleet")?.state == [9])
        #expect(try await again.raiseGeneration() == Generation(rawValue: 2))
        _ = try await again.append([record(3)], expecting: 2)
        let audit = try await again.audit()
        #expect(audit.records == 3 && audit.broken == nil)
    }

    @Test("is refused to a second holder, which is told who has it")
    func locked() async throws {
        let scratch = try Scratch()
        let store = try SQLiteStateStore(directory: scratch.path)
        do {
            _ = try SQLiteStateStore(directory: scratch.path)
            Issue.record("two holders")
        } catch let error as StoreError {
            guard case .locked(_, let process) = error else { throw error }
            #expect(process == String(ProcessInfo.processInfo.processIdentifier))
        }
        #expect(await store.lastSequence() == 0)
    }

    @Test("refuses a directory or file that others may read, and says what to do")
    func tooOpen() async throws {
        let scratch = try Scratch()
        let held = try SQLiteStateStore(directory: scratch.path)
        await held.close()
        _ = FileManager.default.createFile(
            atPath: scratch.path + "/journal.sqlite-wal", contents: nil,
            attributes: [.posixPermissions: 0o600])
        for (path, mode, open) in [
            (scratch.path, 0o700, 0o750), (scratch.path + "/journal.sqlite", 0o600, 0o640),
            (scratch.path + "/journal.sqlite-wal", 0o600, 0o644),
        ] {
            try FileManager.default.setAttributes([.posixPermissions: open], ofItemAtPath: path)
            let error = #expect(throws: StoreError.self) {
                _ = try SQLiteStateStore(directory: scratch.path)
            }
            #expect(error?.description.contains("chmod") == true)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
    }

    @Test(
        "finds every kind of tampering",
        arguments: [
            "UPDATE journal SET payload = x'00' WHERE sequence = 2",
            "UPDATE journal SET actor = 'operator:b' WHERE sequence = 2",
            "UPDATE journal SET at = 77 WHERE sequence = 2",
            "UPDATE journal SET kind = 'other' WHERE sequence = 2",
            "UPDATE journal SET stream = 'other' WHERE sequence = 2",
            "DELETE FROM journal WHERE sequence = 2",
            "DELETE FROM journal WHERE sequence > 1",
            "UPDATE journal SET hash = previous WHERE sequence = 2",
            "UPDATE journal SET sequence = -5 WHERE sequence = 2",
        ])
    func tampering(_ change: String) async throws {
        let scratch = try Scratch()
        let first = try SQLiteStateStore(directory: scratch.path)
        _ = try await first.append((1...4).map { record($0) }, expecting: 0)
        await first.close()
        do {
            let database = try SQLiteConnection(path: scratch.path + "/journal.sqlite")
            _ = try database.execute(change)
        }
        let store = try SQLiteStateStore(directory: scratch.path)
        do {
            let audit = try await store.audit()
            #expect(audit.broken != nil)
        } catch is StoreError {
            // A row that is none is an error of its own.
        }
    }

    @Test("never looks whole again once its end was cut off, whatever is appended")
    func cutAndGrown() async throws {
        let scratch = try Scratch()
        let first = try SQLiteStateStore(directory: scratch.path)
        _ = try await first.append((1...4).map { record($0) }, expecting: 0)
        await first.close()
        do {
            let database = try SQLiteConnection(path: scratch.path + "/journal.sqlite")
            _ = try database.execute("DELETE FROM journal WHERE sequence > 2")
        }
        let store = try SQLiteStateStore(directory: scratch.path)
        #expect(try await store.audit().broken?.sequence == 3)
        #expect(try await store.missingEnd() == store.audit().broken)
        _ = try await store.append((5...9).map { record($0) }, expecting: 2)
        #expect(try await store.audit().broken?.reason.contains("cut off") == true)
        #expect(try await store.missingEnd() == store.audit().broken)
    }

    @Test(
        "loses nothing that was acknowledged when its process is killed in the middle",
        arguments: [3, 57, 200])
    func killed(_ after: Int) async throws {
        try refuseUnreapedChildren()
        let scratch = try Scratch()
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = scratch.path as String, after = after as Int] in
            let store = try SQLiteStateStore(directory: path)
            let log = open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<1_000_000 {
                        let batch = [record(number), record(number)]
                        guard
                            (try? await store.append(batch, expecting: UInt64(number * 2))) != nil
                        else { exit(3) }
                        write(log, ".", 1)
                    }
                }
                group.addTask {
                    while lseek(log, 0, SEEK_END) < after { await Task.yield() }
                    kill(getpid(), SIGKILL)
                }
            }
        }
        let acknowledged = try Data(
            contentsOf: URL(fileURLWithPath: scratch.path + "/acknowledged")
        ).count
        let store = try SQLiteStateStore(directory: scratch.path)
        let last = await store.lastSequence()
        #expect(acknowledged >= after)
        #expect(last >= UInt64(acknowledged * 2))
        #expect(last % 2 == 0, "a batch is there as a whole or not at all")
        let audit = try await store.audit()
        #expect(audit.records == last && audit.broken == nil)
    }
}

/// Throws if an earlier test left an ended child that nobody reaped: an exit test of swift-testing
/// looks at the first ended child only, so that it would wait for ever instead of failing.
private func refuseUnreapedChildren() throws {
    var ended = siginfo_t()
    guard waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
    let child = ended._sifields._sigchld.si_pid
    try #require(child == 0, "process \(child), a child of an earlier test, was never reaped")
}
