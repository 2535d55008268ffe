/// What happens next: by moment, and at the same moment in the order in which it was put in.
struct EventQueue<Content: Sendable>: Sendable {
    private struct Entry: Sendable {
        let at: Int64
        let number: UInt64
        let content: Content

        func isBefore(_ other: Entry) -> Bool { (at, number) < (other.at, other.number) }
    }

    private var heap: [Entry] = []
    private var count: UInt64 = 0

    /// When the next one is due; nil if nothing is.
    var nextMoment: Int64? { heap.first?.at }

    mutating func put(_ content: Content, at moment: Int64) {
        count += 1
        heap.append(Entry(at: moment, number: count, content: content))
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func take() -> (at: Int64, content: Content)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (first.at, first.content)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].isBefore(heap[least]) { least = child }
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
