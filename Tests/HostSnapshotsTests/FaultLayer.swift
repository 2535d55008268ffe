import Glibc

@testable import HostSnapshots

/// What goes wrong at one call.
enum Fault: CustomStringConvertible {
    /// The call fails as such a call may.
    case fails
    /// A call that may be interrupted is, once; it must be made again.
    case interrupts
    /// A write stores half of its bytes and says so; the rest must follow.
    case shortens
    /// A write stores half of its bytes, then the disk is full.
    case tears
    /// The process dies: this call and all later ones have no effect.
    case stops
    /// A write stores half of its bytes, then the process dies.
    case tearsAndStops
    /// The power goes.
    case losesPower(PowerLoss.Model, seed: UInt64)
    /// The process dies; the next one does the same again, to its end, and then the power goes.
    case losesPowerLater(PowerLoss.Model, seed: UInt64)

    var description: String {
        switch self {
        case .fails: "fails"
        case .interrupts: "interrupts"
        case .shortens: "shortens"
        case .tears: "tears"
        case .stops: "stops"
        case .tearsAndStops: "tears and stops"
        case .losesPower(let model, let seed): "loses power (\(model), seed \(seed))"
        case .losesPowerLater(let model, let seed):
            "stops, is run again and loses power (\(model), seed \(seed))"
        }
    }

    /// True if nothing of the process goes on after it.
    var isDeadly: Bool {
        switch self {
        case .fails, .interrupts, .shortens, .tears: false
        case .stops, .tearsAndStops, .losesPower, .losesPowerLater: true
        }
    }

    /// What a power cut leaves is decided by these; nil if the power stays.
    var cut: (model: PowerLoss.Model, seed: UInt64)? {
        switch self {
        case .losesPower(let model, let seed), .losesPowerLater(let model, let seed):
            (model, seed)
        case .fails, .interrupts, .shortens, .tears, .stops, .tearsAndStops: nil
        }
    }

    /// True if the operation must succeed all the same.
    var isHarmless: Bool {
        switch self {
        case .interrupts, .shortens: true
        case .fails, .tears, .stops, .tearsAndStops, .losesPower, .losesPowerLater: false
        }
    }

    /// True if it can happen at most calls: then some of them will do.
    var isFrequent: Bool {
        switch self {
        case .fails, .interrupts, .stops, .losesPower, .losesPowerLater: true
        case .shortens, .tears, .tearsAndStops: false
        }
    }

    /// Which of the calls in a stride it takes, always the same: power losses of all seeds together
    /// take all of them.
    var phase: Int {
        switch self {
        case .fails, .interrupts, .shortens, .tears, .tearsAndStops: 0
        case .stops: 1
        case .losesPower(.weak, let seed), .losesPowerLater(_, let seed): Int(seed % 1000)
        case .losesPower(.ordered, let seed): Int(seed % 1000) + 1
        }
    }

    /// True for the calls that are counted. Between two changes a death is always the same.
    func counts(_ call: FileCall) -> Bool {
        switch self {
        case .fails: true
        case .interrupts: [.read, .write, .lock].contains(call.kind)
        case .shortens, .tears, .tearsAndStops: call.kind == .write && call.count > 1
        case .stops, .losesPower, .losesPowerLater:
            call.changes || [.sync, .syncFileSystem].contains(call.kind)
        }
    }
}

/// Lets one fault happen at the call of a given number, and remembers the calls around it.
///
/// Syncs are never made: they cost time, and what they promise is kept account of by `PowerLoss`.
final class FaultLayer: FileCallInterposer, @unchecked Sendable {
    // Used by one thread of one test: while a test interposes, all work stays on one.
    private struct State {
        var counted = 0
        var made = 0
        var isStopped = false
        var isFull: Int32?
        var trace: [String] = []
        var after = 0
        var power: PowerLoss?
        var remains: TreeImage?
        var trouble: [String] = []
    }
    private let fault: Fault
    private let number: Int
    private let refused: Set<FileCall.Kind>
    private var state: State

    /// `path` holds all that the operation may touch. `number` counts from 1. Calls of the kinds
    /// `refused` are never made, as on a file system that does not know them.
    init(
        _ fault: Fault, at number: Int, below path: String,
        refusing refused: Set<FileCall.Kind> = []
    ) throws {
        self.fault = fault
        self.number = number
        self.refused = refused
        state = State(power: fault.cut == nil ? nil : try PowerLoss(path))
    }

    /// True if the call of that number was reached.
    var isReached: Bool { state.counted >= number }

    var isStopped: Bool { state.isStopped }

    /// The calls around the fault, one line each, and what went wrong in the layer itself.
    var trace: String {
        (state.trace + state.trouble).joined(separator: "\n  ")
    }

    /// What a power cut left: at the call, or now if it was not reached. Nil for other faults.
    func remains() throws -> TreeImage? {
        if let remains = state.remains { return remains }
        guard let cut = fault.cut else { return nil }
        return try state.power?.remains(cut.model, seed: cut.seed)
    }

    /// Another process begins, to which nothing happens.
    func revive() { state.isStopped = false }

    func fate(of call: FileCall) -> FileCallFate {
        state.made += 1
        if state.isStopped {
            state.after += 1
            precondition(state.after < 1_000_000, "it goes on after its death:\n\(trace)")
            return .failed(EIO)
        }
        let isCounted = fault.counts(call)
        if isCounted { state.counted += 1 }
        remember(call)
        if let full = state.isFull, full == call.file, call.kind == .write {
            return .failed(ENOSPC)
        }
        if isCounted, state.counted == number { return happen(call) }
        if refused.contains(call.kind) {
            return .failed(call.kind == .exchange ? EINVAL : EOPNOTSUPP)
        }
        do { try state.power?.note(call) } catch { state.trouble.append("\(error)") }
        return [.sync, .syncFileSystem].contains(call.kind) ? .pretended : .made
    }

    private func happen(_ call: FileCall) -> FileCallFate {
        switch fault {
        case .fails: return .failed(Self.failure(of: call))
        case .interrupts: return .failed(EINTR)
        case .shortens: return .torn(call.count / 2)
        case .tears:
            state.isFull = call.file
            return .torn(call.count / 2)
        case .tearsAndStops:
            state.isStopped = true
            return .torn(call.count / 2)
        case .stops, .losesPowerLater:
            state.isStopped = true
            return .failed(EIO)
        case .losesPower(let model, let seed):
            state.isStopped = true
            do { state.remains = try state.power?.remains(model, seed: seed) } catch {
                state.trouble.append("\(error)")
            }
            return .failed(EIO)
        }
    }

    /// What such a call fails with on a sick or full disk, or for want of permission.
    private static func failure(of call: FileCall) -> Int32 {
        switch call.kind {
        case .open: call.changes ? ENOSPC : EACCES
        case .write, .rename, .exchange, .makeDirectory, .makeNode, .makeLink, .link,
            .writeAttribute, .size:
            ENOSPC
        case .mode, .owner, .removeAttribute, .clone: EPERM
        case .lock: ENOLCK
        case .read, .look, .list, .sync, .syncFileSystem, .remove, .readLink, .time,
            .readAttribute, .control, .space, .database:
            EIO
        }
    }

    private func remember(_ call: FileCall) {
        guard state.counted >= number - 6, state.counted <= number + 6, state.trace.count < 60
        else { return }
        let mark = state.counted == number && fault.counts(call) ? " <-- \(fault)" : ""
        let from = call.source.map { Self.path($0.file, $0.name) + " -> " } ?? ""
        let count = call.count > 0 ? " \(call.count) bytes" : ""
        state.trace.append(
            "\(state.made) \(call.kind) \(from)\(Self.path(call.file, call.name))\(count)\(mark)")
    }

    private static func path(_ file: Int32, _ name: UnsafePointer<CChar>?) -> String {
        let name = name.map { String(cString: $0) }
        if file == AT_FDCWD { return name ?? "?" }
        var target = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/fd/\(file)", &target, target.count)
        let folder = String(
            decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return folder + (name.map { "/" + $0 } ?? "")
    }
}
