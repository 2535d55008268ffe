import FleetWire
import Foundation
import Glibc
import Testing

@testable import HostSnapshots

@Suite struct EmptyCaptureTests {
    @Test func aFirstInstallationIsCapturedAndGoneBackToAndCapturedAgain() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        let spec = try files("/app")
        let first = try take(store, "p1", [spec])
        mkdir(scratch.root + "/app", 0o755)
        try scratch.write("/app/a", "x")
        _ = try take(store, "p2", [spec])
        _ = try store.restore(point: first.id)
        #expect(access(scratch.root + "/app", F_OK) != 0)
        // The restore left nothing of it, so nothing is what there must be.
        _ = try take(store, "p3", [spec])
    }

    @Test func whatHeldSomethingAndIsGoneIsRefusedAndLeavesNothing() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        mkdir(scratch.root + "/app", 0o755)
        try scratch.write("/app/a", "x")
        var spec = try files("/app")
        _ = try take(store, "p1", [spec])
        let packs = try store.files.names(in: "packs")
        for empty in [true, false] {
            // First the directory of a file system that is not mounted, then nothing at all.
            if empty { unlink(scratch.root + "/app/a") } else { rmdir(scratch.root + "/app") }
            let error = #expect(throws: PointError.self) { _ = try take(store, "p2", [spec]) }
            #expect(error?.cause.contains("point p1 holds 1 entries") ?? false)
            #expect(error?.remedy.contains("allow_empty") ?? false)
            #expect(try store.files.names(in: "packs") == packs)
            #expect(try store.files.names(in: "points") == ["p1.json"])
        }
        spec.allowEmpty = true
        _ = try take(store, "p2", [spec])
        spec.allowEmpty = nil
        _ = try take(store, "p3", [spec])
    }

    @Test func aRestoreSaysMoreThanAnOlderPointAndALaterPointMoreThanARestore() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        let spec = try files("/a")
        let none = try take(store, "p1", [spec])
        try scratch.write("/a", "x")
        let some = try take(store, "p2", [spec])
        _ = try store.restore(point: none.id)
        _ = try store.restore(point: some.id)
        unlink(scratch.root + "/a")
        #expect(throws: PointError.self) { _ = try take(store, "p3", [spec]) }
        _ = try store.restore(point: none.id)
        _ = try take(store, "p3", [spec])
        try scratch.write("/a", "x")
        _ = try take(store, "p4", [spec])
        unlink(scratch.root + "/a")
        #expect(throws: PointError.self) { _ = try take(store, "p5", [spec]) }
    }
}
