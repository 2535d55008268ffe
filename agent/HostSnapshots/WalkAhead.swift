import CLinux
import Glibc

/// What a directory holds.
struct DirectoryContent {
    /// Names up to which all are looked at beforehand; more would take memory in each directory on
    /// the way.
    private static let looksMax = 1024
    let names: DirectoryNames
    /// What each name is, by position, nil for one that is gone. Empty if they are to be looked at
    /// one by one.
    private(set) var found: [FileStatus?] = []

    /// Reads `directory`, which is left at its end; looks at each name if `looks`. `path` is for
    /// errors.
    init(_ directory: Descriptor, _ path: [UInt8], looks: Bool) throws {
        names = try DirectoryNames(directory, path)
        guard looks, names.count <= Self.looksMax else { return }
        found.reserveCapacity(names.count)
        for position in 0..<names.count {
            do {
                found.append(
                    try names.withName(position) { name, _ in try directory.look(name, path) })
            } catch {
                // Who looks at them one by one says which it was.
                found = []
                return
            }
        }
    }
}

/// Opens, lists and looks through directories on a further thread, before a walk comes to them.
/// It opens what the walk itself would open and in the same way; what it cannot do, and whatever is
/// mounted, is left to the walk.
final class WalkAhead {
    /// A directory that the walk will come to.
    // Proof: what can change is used under the line's monitor alone.
    final class Place: @unchecked Sendable {
        fileprivate enum State {
            /// Becomes `taken`, or `running`.
            case waiting
            /// Becomes `done`.
            case running
            /// Becomes `taken`. Without a value the walk has to do it.
            case done(Listing?)
            case taken
        }
        fileprivate let parent: Descriptor
        fileprivate let name: [UInt8]
        fileprivate let device: UInt64
        fileprivate var state = State.waiting
        fileprivate var level = 0

        /// `name` in `parent`, which lies on `device`.
        init(_ parent: Descriptor, _ name: [UInt8], device: UInt64) {
            self.parent = parent
            self.name = name
            self.device = device
        }
    }

    /// An open directory, what it is and what it holds.
    struct Listing {
        var directory: Descriptor
        var status: FileStatus
        var content: DirectoryContent
    }

    private let line = Line()
    private var worker: Worker?

    /// Nil if a test watches or there is one processor: then the walk does all in its order.
    init?(_ calls: FileCalls) {
        guard !calls.isInterposed, sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 else { return nil }
    }

    deinit {
        line.close()
        worker?.join()
    }

    /// `places` are what the walk comes to next, in this order, before all that it was told earlier.
    func expect(_ places: [Place]) {
        guard !places.isEmpty else { return }
        line.put(places)
        if worker == nil { worker = Worker { [line] in line.work() } }
    }

    /// What is at `place`, if that is known by now or soon; nil if the walk has to look itself.
    func take(_ place: Place) -> Listing? { line.take(place) }

    /// The places that the walk will come to, those of one directory in one group.
    // Proof: every use of what can change is under the monitor.
    private final class Line: @unchecked Sendable {
        private struct Group {
            /// Those that nobody has taken; the next stands last.
            var waiting: [Place]
            /// How many the walk has not come to.
            var left: Int
            var done = 0
        }
        /// Listings of one group and of all that wait for the walk, at most: each holds a file open.
        private static let doneMax = (inGroup: 8, inAll: 64)
        private let monitor = Monitor()
        /// Of the directories on the walk's way, the deepest last.
        private var groups: [Group] = []
        private var done = 0
        private var isClosed = false

        func put(_ next: [Place]) {
            monitor.change {
                for place in next { place.level = groups.count }
                groups.append(Group(waiting: next.reversed(), left: next.count))
            }
        }

        func close() { monitor.change { isClosed = true } }

        func take(_ place: Place) -> Listing? {
            // There is room for another one now.
            defer { monitor.change {} }
            return monitor.wait { () -> Listing?? in
                switch place.state {
                case .running: return nil
                case .waiting: groups[place.level].waiting.removeLast()
                case .taken: preconditionFailure("the walk comes once to a place")
                case .done:
                    groups[place.level].done -= 1
                    done -= 1
                }
                groups[place.level].left -= 1
                if groups[place.level].left == 0 { groups.removeLast() }
                defer { place.state = .taken }
                guard case .done(let listing) = place.state else { return .some(nil) }
                return .some(listing)
            }
        }

        /// Until it is closed.
        func work() {
            while let place = next() {
                let listing = Self.list(place)
                monitor.change { place.state = .done(listing) }
            }
        }

        private func next() -> Place? {
            monitor.wait { () -> Place?? in
                if isClosed { return .some(nil) }
                guard done < Self.doneMax.inAll else { return nil }
                for level in groups.indices.reversed()
                where groups[level].done < Self.doneMax.inGroup {
                    guard let place = groups[level].waiting.popLast() else { continue }
                    place.state = .running
                    groups[level].done += 1
                    done += 1
                    return place
                }
                return nil
            }
        }

        private static func list(_ place: Place) -> Listing? {
            guard let directory = place.parent.open(place.name, O_RDONLY | O_DIRECTORY),
                let status = try? directory.look(place.name), !status.isMountRoot,
                status.device == place.device,
                let content = try? DirectoryContent(directory, place.name, looks: true)
            else { return nil }
            return Listing(directory: directory, status: status, content: content)
        }
    }
}
