import Foundation
import Glibc
import Testing

@testable import HostSnapshots

/// A test process that is killed leaves no database server behind.
@Suite struct ServerToLeaveTests {
    static let variable = "BELAY_SERVER_TO_LEAVE"

    @Test func aScratchServerEndsWithItsProcess() throws {
        if let missing = PostgresCluster.missing { try Test.cancel("not tested: \(missing)") }
        let scratch = try Scratch()
        let note = scratch.path + "/folder"
        let child = try KilledProcessTests.start(
            "ServerThatIsLeft", "\(Self.variable)=\(note)")
        defer {
            kill(child, SIGKILL)
            waitpid(child, nil, 0)
        }
        try wait("the server did not start") { access(note, F_OK) == 0 }
        let folder = try String(contentsOfFile: note, encoding: .utf8)
        let lock = try String(contentsOfFile: folder + "/data/postmaster.pid", encoding: .utf8)
        let server = try #require(pid_t(lock.prefix { $0 != "\n" }))
        #expect(kill(server, 0) == 0)
        kill(child, SIGKILL)
        waitpid(child, nil, 0)
        try wait("the server goes on") { kill(server, 0) != 0 && access(folder, F_OK) != 0 }
    }

    private func wait(_ otherwise: Comment, _ condition: () -> Bool) throws {
        let begun = ContinuousClock.now
        while !condition() {
            try #require(ContinuousClock.now - begun < .seconds(60), otherwise)
            usleep(20_000)
        }
    }
}

@Suite struct ServerThatIsLeft {
    private static let note = getenv(ServerToLeaveTests.variable).map { String(cString: $0) }

    @Test(.enabled(if: note != nil, "it is what ServerToLeaveTests kills"))
    func startAndStay() throws {
        guard let note = Self.note else { return }
        let folder = try PostgresCluster.shared.get().folder
        try Data(folder.utf8).write(to: URL(fileURLWithPath: note), options: .atomic)
        let begun = ContinuousClock.now
        while ContinuousClock.now - begun < .seconds(120) { sleep(1) }
    }
}
