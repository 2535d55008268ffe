package import FleetWire

extension PointStore {
    /// Holds a point against its manifest; empty means whole, else one sentence for each damage.
    ///
    /// Shallow: the manifest's digest, every catalogue (rehashed, its state and count held against
    /// the manifest), and that a pack's table names every object, with possible sizes. Deep: every
    /// object is read and rehashed too. Both report a pack whose table is lost. Damage
    /// within stored bytes, and of the headers that a lost table would be made good by, is found by a
    /// deep one alone. `progress` is called at a bounded rate.
    /// Throws `PointError` if the point is not there, its key is missing, or the disk cannot be read.
    package func verify(
        _ id: PointID, deep: Bool = false, progress: @escaping (PointProgress) -> Void = { _ in }
    ) throws -> [String] {
        let manifest: Manifest
        do {
            (manifest, _) = try self.manifest(id)
        } catch let error as PointError where error.attempt == "read" && error.code == 0 {
            return ["\(error)"]
        }
        let objects = try objects(of: manifest)
        let check = PointCheck(objects: objects, isDeep: deep)
        let meter = ProgressMeter(progress)
        var kept: [String] = []
        for component in manifest.components {
            check.run(component, meter)
            if check.damage.isEmpty { kept += try driverDamage(component, objects) }
        }
        return check.damage + kept + check.damagedPacks()
    }
}

/// One look at all that a point needs.
final class PointCheck {
    private let objects: ObjectReader
    private let isDeep: Bool
    private var good: Set<ObjectID> = [.zeros]
    private var packs: Set<String> = []
    private var headers: [String: PackHeaders] = [:]
    /// One sentence for each thing that is missing or damaged.
    private(set) var damage: [String] = []

    init(objects: ObjectReader, isDeep: Bool) {
        self.objects = objects
        self.isDeep = isDeep
    }

    func run(_ component: Manifest.Component, _ meter: ProgressMeter) {
        meter.begin(
            .verifying, component.spec.name, entries: component.entries, bytes: component.bytes)
        do {
            for object in component.catalogue { try note(ObjectID(object)) }
            try CatalogueReader(component, objects).forEach { entry in
                for chunk in entry.chunks where !good.contains(chunk) { look(at: chunk, of: entry) }
                meter.add(bytes: entry.size)
            }
        } catch {
            damage.append("component \(component.spec.name): \(error)")
        }
        meter.end()
    }

    private func look(at chunk: ObjectID, of entry: Entry) {
        do {
            if isDeep {
                _ = try objects.read(chunk)
            } else if !objects.holds(chunk) {
                throw PointError.damaged(
                    "object \(objects.codec.name(of: chunk).digest)",
                    "it is missing from the store")
            }
            try note(chunk)
            good.insert(chunk)
        } catch {
            damage.append("\(printable(entry.path)): \(error)")
        }
    }

    private func note(_ id: ObjectID) throws {
        guard let place = objects.place(of: id) else { return }
        if objects.damaged[place.pack] != nil {
            packs.insert(place.pack)
        } else if isDeep {
            let new = PackHeaders(key: objects.codec.key)
            try objects.look(at: id, &headers[place.pack, default: new])
        }
    }

    /// Packs that the point needs and whose table is lost, all being there but only by a rebuilt one;
    /// and those that could not be read without theirs.
    func damagedPacks() -> [String] {
        let withoutTable = packs.sorted().map {
            "pack \($0): \(objects.damaged[$0] ?? ""); its records are read one by one, repair the store"
        }
        let others = headers.compactMap { name, headers in
            headers.damage.map { "pack \(name): \($0); all is read by its table, repair the store" }
        }
        return withoutTable + others.sorted()
    }
}
