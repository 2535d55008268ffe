import FleetWire
import Glibc
import Testing

@testable import HostSnapshots

/// A capture that is cut at each of its system calls leaves the tree as it was and a store that
/// opens, whose points are whole; what `create` returned is there, even if the power goes.
@Suite struct CaptureCrashTests {
    @Test func theFirstCapture() throws {
        let world = try CrashWorld { try CrashTree.make($0.root) }
        try sweep(world, CrashWorld.faults(losses: 3), stride: 3)
    }

    @Test func aCaptureAfterChanges() throws {
        let world = try CrashWorld { scratch in
            try CrashTree.make(scratch.root)
            _ = try take(scratch.store(), "p1", [CrashTree.spec()])
            try CrashTree.change(scratch.root)
        }
        try sweep(world, CrashWorld.faults(losses: 3), stride: 3)
    }

    @Test func aCaptureIntoAnEncryptedStoreAtEachThirdCall() throws {
        let world = try CrashWorld { scratch in
            try CrashTree.make(scratch.root)
            try scratch.seal()
            _ = try take(scratch.store(), "p1", [CrashTree.spec()])
            try CrashTree.change(scratch.root)
            try CrashTree.file(scratch.root + "/tree/secret", CrashTree.secret, 0o600)
        }
        try sweep(world, CrashWorld.faults(losses: 1), stride: 3, secret: CrashTree.secret)
    }

    private func sweep(
        _ world: CrashWorld, _ faults: [Fault], stride: Int = 1, secret: String? = nil
    ) throws {
        try ComponentCrash(
            world: world, spec: CrashTree.spec(),
            view: ComponentCrash.files(world, "/one", "/tree"), secret: secret
        ).sweepCapture(faults, stride: stride)
    }
}
