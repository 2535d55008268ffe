import AgentCore
import AgentRuntime
import FleetWire
import Foundation
import Testing

/// A folder for one test, removed at its end.
struct TestFolder: ~Copyable {
    let path: String
    init() throws {
        path = NSTemporaryDirectory() + "belay-agent-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct JournalTests {
    @Test("the state after an event is what the next start finds")
    func survives() throws {
        let folder = try TestFolder()
        let path = folder.path + "/journal.sqlite"
        var machine = HostMachine()
        let now = Timestamp(milliseconds: 5)
        do {
            let journal = try AgentJournal(path: path)
            for event in [HostEvent.started(guard: nil), .term(Generation(rawValue: 4))] {
                _ = machine.handle(event, at: now)
                try journal.record(event, at: now, after: machine)
            }
        }
        let again = try AgentJournal(path: path)
        #expect(try again.load() == machine)
        #expect(try again.load().generation.rawValue == 4)
        #expect(try again.events().map(\.event).last == .term(Generation(rawValue: 4)))
    }

    @Test("a damaged journal is an error, not a new beginning")
    func damaged() throws {
        let folder = try TestFolder()
        let path = folder.path + "/journal.sqlite"
        try Data("this is no database, whatever its name says".utf8)
            .write(to: URL(fileURLWithPath: path))
        #expect(throws: (any Error).self) { try AgentJournal(path: path).load() }
    }
}

@Suite struct StateTests {
    @Test("files that others can reach are refused, with the command that helps")
    func modes() throws {
        let folder = try TestFolder()
        let state = StateDirectory(root: nil, state: folder.path + "/state")
        try state.make()
        try state.write(Array("secret".utf8), to: "host.key")
        try state.requirePrivate()
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o640], ofItemAtPath: state.file("host.key"))
        let error = #expect(throws: AgentError.self) { try state.requirePrivate() }
        #expect(error?.remedy == "run: chmod 0600 \(state.file("host.key"))")
    }

    @Test("a lock is held by one, and free when its holder is gone")
    func lock() throws {
        let folder = try TestFolder()
        let path = folder.path + "/x.lock"
        do {
            let held = try FileLock.take(path)
            #expect(held != nil)
            #expect(FileLock.isHeld(path))
            let second = try FileLock.take(path)
            #expect(second == nil)
            withExtendedLifetime(held) {}
        }
        #expect(!FileLock.isHeld(path))
    }

    @Test("an address must be a host and a port", arguments: ["x", "x:", "x:0", "x:99999"])
    func address(_ text: String) {
        let configuration = AgentConfiguration(
            coordinator: text, host: HostID(unchecked: "h"))
        #expect(throws: AgentError.self) { try configuration.address() }
    }
}
