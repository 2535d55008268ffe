/// What happens next: by moment, and at the same moment in the order in which it was put in.
///
/// The heap moves small entries only; what they stand for stays in its place until it is due.
struct EventQueue<Content: Sendable>: Sendable {
    private struct Entry: Sendable {
        let at: Int64
        let number: UInt64
        let place: Int

        func isBefore(_ other: Entry) -> Bool {
            at != other.at ? at < other.at : number < other.number
        }
    }

    private var heap: [Entry] = []
    private var contents: [Content?] = []
    private var free: [Int] = []
    private var count: UInt64 = 0

    /// When the next one is due; nil if nothing is.
    var nextMoment: Int64? { heap.first?.at }

    mutating func put(_ content: Content, at moment: Int64) {
        count += 1
        let place = free.popLast() ?? contents.count
        if place == contents.count { contents.append(content) } else { contents[place] = content }
        heap.append(Entry(at: moment, number: count, place: place))
        rise()
    }

    mutating func take() -> (at: Int64, content: Content)? {
        guard let first = heap.first, let content = contents[first.place].take() else {
            return nil
        }
        free.append(first.place)
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (first.at, content)
    }

    private mutating func rise() {
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in 2 * parent + 1...2 * parent + 2 where child < heap.count {
                if heap[child].isBefore(heap[least]) { least = child }
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
