/// The smallest element first; the same insertions and removals give the same bytes.
struct MinHeap<Element: Comparable & Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    private var items: [Element] = []

    init() {}

    var first: Element? { items.first }

    mutating func insert(_ item: Element) {
        items.append(item)
        var place = items.count - 1
        while place > 0 {
            let above = (place - 1) / 2
            guard items[place] < items[above] else { return }
            items.swapAt(place, above)
            place = above
        }
    }

    mutating func removeFirst() {
        guard let last = items.popLast(), !items.isEmpty else { return }
        items[0] = last
        var place = 0
        while true {
            var least = place
            let left = 2 * place + 1
            if left < items.count, items[left] < items[least] { least = left }
            if left + 1 < items.count, items[left + 1] < items[least] { least = left + 1 }
            guard least != place else { return }
            items.swapAt(place, least)
            place = least
        }
    }
}
