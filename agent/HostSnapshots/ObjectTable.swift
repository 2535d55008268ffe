/// Where objects lie: a hash table that takes some 70 bytes an object, since a store has millions.
struct ObjectTable {
    /// One place of an object; several packs may hold the same.
    struct Place {
        var offset: UInt64
        var pack: UInt32
        var raw: UInt32
        var stored: UInt32
        var codec: PackRecord.Codec
    }

    private var names: ContiguousArray<ObjectID> = []
    private var places: ContiguousArray<Place> = []
    /// 1 + an index of `names`; 0 where nothing is. Names are digests, so their own first bytes
    /// spread them.
    private var slots: ContiguousArray<UInt32> = ContiguousArray(repeating: 0, count: 1024)

    var count: Int { names.count }

    mutating func add(_ record: PackRecord, pack: Int) {
        if names.count * 4 >= slots.count * 3 { grow() }
        names.append(record.id)
        places.append(
            Place(
                offset: record.offset, pack: UInt32(pack), raw: record.raw, stored: record.stored,
                codec: record.codec))
        link(names.count - 1)
    }

    /// The first place of `name`; nil if there is none.
    func first(_ name: ObjectID) -> Place? {
        var slot = name.spread & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if names[index] == name { return places[index] }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// All places of `name`, in the order in which they were added.
    func all(_ name: ObjectID) -> [Place] {
        var found: [Int] = []
        var slot = name.spread & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if names[index] == name { found.append(index) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return found.sorted().map { places[$0] }
    }

    private mutating func link(_ index: Int) {
        var slot = names[index].spread & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(index + 1)
    }

    private mutating func grow() {
        slots = ContiguousArray(repeating: 0, count: slots.count * 2)
        for index in names.indices { link(index) }
    }
}
