import Foundation
import Testing

@testable import belay_bench

@Suite("Programs that are timed")
struct ProgramTests {
    @Test("A run has its exit code, its output, its folder, its variables and its memory")
    func run() throws {
        let folder = try Scratch()
        defer { folder.remove() }
        let runner = ProgramRunner(logs: folder.path)
        let command = ToolCommand(
            arguments: ["/bin/sh", "-c", "echo $WORD; pwd; echo no >&2; exit 3"],
            environment: ["WORD": "yes"], directory: folder.path)
        let run = try runner.run(command)
        #expect(run.code == 3)
        #expect(run.output == "yes\n\(folder.path)\n")
        #expect(run.errors == "no\n")
        #expect(run.seconds > 0)
        #expect(run.residentBytes > 100_000)
        #expect(throws: BenchFailure.self) { try runner.succeed(command.arguments) }
        #expect(throws: BenchFailure.self) { try runner.succeed(["/nowhere/program"]) }
    }

    @Test("A command is shown as it would be typed, without the folder of the run")
    func shown() {
        let command = ToolCommand(
            arguments: ["/usr/bin/restic", "--repo", "/w/work/A/restic/store", "backup", "a b"],
            environment: ["RESTIC_PASSWORD": "bench"], directory: "/w/work/A/restic/live")
        #expect(
            command.shown(below: "/w/work") == "cd A/restic/live && RESTIC_PASSWORD=bench restic "
                + "--repo A/restic/store backup 'a b'")
        #expect(
            command.shown() == "cd /w/work/A/restic/live && RESTIC_PASSWORD=bench restic "
                + "--repo /w/work/A/restic/store backup 'a b'")
    }

    @Test("The id of the point is found in what a capture printed")
    func point() {
        let id = "20261125T022258123Z-0a1b2c3d"
        #expect(BelayTool.point(in: "\(id)\t160000000\tbench\n") == id)
        #expect(BelayTool.point(in: "{\"id\":\"\(id)\"}") == id)
        #expect(BelayTool.point(in: "captured nothing\n") == nil)
    }

    @Test("Since 0.17 restic leaves alone what is as it was")
    func resticVersion() {
        #expect(!ResticTool.isAtLeast017("restic 0.14.0 compiled with go1.19.8 on linux/amd64"))
        #expect(ResticTool.isAtLeast017("restic 0.17.3 compiled with go1.23 on linux/amd64"))
        #expect(ResticTool.isAtLeast017("restic 1.0.0"))
        #expect(!ResticTool.isAtLeast017(""))
    }

    @Test("The table of strace is read, with and without a column of errors")
    func strace() {
        let text = """
            % time     seconds  usecs/call     calls    errors syscall
            ------ ----------- ----------- --------- --------- ----------------
             99.12    0.012345         123       100           fsync
              0.88    0.000110         110         1         1 syncfs
            ------ ----------- ----------- --------- --------- ----------------
            100.00    0.012455         123       101         1 total
            """
        #expect(SyncCounts.parse(text) == ["fsync": 100, "syncfs": 1])
        #expect(SyncCounts.parse("") == [:])
    }

    @Test("What a disk was given to write and to discard is summed up")
    func diskstats() {
        let line = "   8       0 sda 1 0 2 0 4 0 10 0 0 0 0 3 0 6 0"
        #expect(Stillness.bytesWritten(line) == 16 * 512)
        #expect(Stillness.bytesWritten("   8       0 sda 1 0 2 0 4 0 10 0 0 0 0") == 10 * 512)
        #expect(Stillness.bytesWritten("nothing") == 0)
    }
}

@Suite("The folder of a run")
struct WorkDirectoryTests {
    @Test("It is emptied of what a killed run left, and refuses what no run made")
    func leftovers() throws {
        let folder = try Scratch()
        defer { folder.remove() }
        var work: WorkDirectory? = try WorkDirectory(in: folder.path)
        let path = try #require(work?.path)
        try Folder.make("\(path)/A/restic/store")
        try TextFile.write("x", to: "\(path)/A/restic/store/file")
        work = nil
        let again = try WorkDirectory(in: folder.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [".belay-bench"])
        try again.clear()
        #expect(access(path, F_OK) != 0)

        let foreign = try Scratch()
        defer { foreign.remove() }
        try Folder.make(foreign.path("work"))
        try TextFile.write("mine", to: foreign.path("work/file"))
        #expect(throws: BenchFailure.self) { try WorkDirectory(in: foreign.path) }
        #expect(TextFile.read(foreign.path("work/file")) == "mine")
    }

    @Test("Two runs cannot have one folder")
    func lock() throws {
        let folder = try Scratch()
        defer { folder.remove() }
        let first = try WorkDirectory(in: folder.path)
        #expect(throws: BenchFailure.self) { try WorkDirectory(in: folder.path) }
        withExtendedLifetime(first) {}
    }

    @Test("Space is asked for before anything is made")
    func space() throws {
        let folder = try Scratch()
        defer { folder.remove() }
        let work = try WorkDirectory(in: folder.path)
        try work.require(bytes: 1, files: 1)
        #expect(throws: BenchFailure.self) { try work.require(bytes: .max, files: 1) }
    }

    @Test("Disks below the folder are found, the innermost first")
    func mounts() {
        let text = """
            /dev/vda / ext4 rw 0 0
            /dev/loop0 /w/work/disks/ext4/disk ext4 rw 0 0
            none /w/work/disks/ext4/disk/deeper\\040one tmpfs rw 0 0
            /dev/loop1 /w/working ext4 rw 0 0
            """
        #expect(
            WorkDirectory.mounts(below: "/w/work", in: text) == [
                "/w/work/disks/ext4/disk/deeper one", "/w/work/disks/ext4/disk",
            ])
        #expect(MachineFacts.fileSystem(of: "/w/work", in: text) == "ext4")
        #expect(MachineFacts.fileSystem(of: "/w/work/disks/ext4/disk/tree", in: text) == "ext4")
    }

    @Test("Bytes on the disk are blocks, and what is not there has none")
    func storedBytes() throws {
        let folder = try Scratch()
        defer { folder.remove() }
        #expect(try Folder.storedBytes(folder.path("nothing")) == 0)
        let path = folder.path("sparse")
        try TextFile.write("", to: path)
        #expect(truncate(path, 10_000_000) == 0)
        #expect(try Folder.storedBytes(path) < 1_000_000)
    }
}
