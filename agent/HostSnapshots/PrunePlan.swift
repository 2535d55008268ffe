import FleetWire

/// Decides which points of a store go and which objects the rest needs; the format's section "Prune".
struct PrunePlan {
    /// Points that go, oldest first.
    private(set) var removed: [PruneSummary.Verdict] = []
    /// Points that stay although a limit says no, oldest first.
    private(set) var protected: [PruneSummary.Verdict] = []
    private(set) var kept = 0
    /// Names in packs of all that the points that stay need.
    private(set) var needed: Set<ObjectID> = []
    /// Why it is not known what all points need, one sentence each; if there are any, only points go.
    private(set) var obstacles: [String] = []

    private let policy: PointRetention?
    private let now: Timestamp
    private var goodCount = 0
    /// Good points that stay, by the names of their components.
    private var goodCounts: [[ComponentName]: Int] = [:]
    private var bytes: UInt64 = 0
    private var isLastGoodFound = false
    /// The newest good point that goes because it is named.
    private var namedGood: PointID?

    init(_ policy: PointRetention?, now: Timestamp) {
        self.policy = policy
        self.now = now
    }

    /// A point that stays or goes as a whole, whatever it holds.
    mutating func add(damaged id: PointID, _ error: any Error, isNamed: Bool) {
        if isNamed { return removed.append(.init(id: id, reason: "named")) }
        kept += 1
        obstacles.append("what point \(id) needs is not known: \(error)")
    }

    /// Decides over one point; the newest has to come first.
    ///
    /// `use` says why it is in use, nil if it is not; `rollouts` are those of which the newest good
    /// point is kept. Throws `PointError` if it is named and must stay.
    mutating func add(
        _ manifest: Manifest, needs: PointNeeds, use: String?, isNamed: Bool,
        rollouts: inout Set<RolloutID>
    ) throws {
        if isNamed {
            if let use { throw Self.mustStay(manifest.id, use) }
            if needs.isGood { namedGood = namedGood ?? manifest.id }
            return removed.append(.init(id: manifest.id, reason: "named"))
        }
        var protection = use
        var objection = policy == nil ? defaultObjection(manifest) : nil
        if let age = policy?.age, now.since(manifest.at) > age {
            objection = "older than \(age.text)"
        }
        if needs.isGood {
            if let rollout = manifest.rollout, rollouts.remove(rollout) != nil {
                protection = protection ?? "newest good point of rollout \(rollout)"
            }
            if !isLastGoodFound { protection = protection ?? "last good" }
            if let count = policy?.count, goodCount >= count {
                objection = objection ?? "over count \(count)"
            }
            if let limit = policy?.bytes, bytes + needs.bytes > limit.count {
                objection = objection ?? "over \(limit.count) bytes"
            }
            isLastGoodFound = true
        }
        if let objection, let protection {
            protected.append(.init(id: manifest.id, reason: "\(protection), though \(objection)"))
        } else if let objection {
            return removed.append(.init(id: manifest.id, reason: objection))
        }
        kept += 1
        bytes += needs.bytes
        needed.formUnion(needs.names)
        if needs.isGood {
            goodCount += 1
            goodCounts[Self.components(manifest), default: 0] += 1
        }
        if let unknown = needs.unknown {
            obstacles.append("what point \(manifest.id) needs is not known: \(unknown)")
        }
    }

    /// Why the default does not keep it; nil if it does.
    private func defaultObjection(_ manifest: Manifest) -> String? {
        let (count, age) = (DefaultRetention.count, DefaultRetention.age)
        guard manifest.name == nil, now.since(manifest.at) > age,
            goodCounts[Self.components(manifest)] ?? 0 >= count
        else { return nil }
        return "older than \(age.text) and over count \(count)"
    }

    private static func components(_ manifest: Manifest) -> [ComponentName] {
        manifest.components.map(\.spec.name).sorted()
    }

    /// Puts the verdicts in the order of time. Throws `PointError` if the only good points there are
    /// were named.
    mutating func finish() throws {
        if let namedGood, !isLastGoodFound { throw Self.mustStay(namedGood, "last good") }
        removed.reverse()
        protected.reverse()
    }

    private static func mustStay(_ id: PointID, _ why: String) -> PointError {
        PointError(
            "remove", "rollback point \(id)", "it must stay: \(why)",
            "end what uses it, or take another point first")
    }
}

/// What a point needs beyond what others do: found by reading its catalogues.
struct PointNeeds {
    /// Names in packs, catalogues included, without those that were known to be needed.
    private(set) var names: Set<ObjectID> = []
    /// Their stored bytes.
    private(set) var bytes: UInt64 = 0
    /// Why a part of it cannot be known; nil if all is.
    private(set) var unknown: String?
    /// True if manifest and catalogues verify and every object is there.
    private(set) var isGood = true

    init(_ manifest: Manifest, _ objects: ObjectReader, beyond needed: Set<ObjectID>) {
        for component in manifest.components {
            for object in component.catalogue { note(ObjectID(object), objects, needed) }
            do {
                try CatalogueReader(component, objects).forEach { entry in
                    for chunk in entry.chunks where chunk != .zeros { note(chunk, objects, needed) }
                }
            } catch {
                unknown = "\(error)"
                isGood = false
            }
        }
    }

    private mutating func note(
        _ id: ObjectID, _ objects: ObjectReader, _ needed: Set<ObjectID>
    ) {
        let name = objects.codec.name(of: id)
        let place = objects.place(of: id)
        // Needed all the same: its pack may be one that could not be opened for a moment.
        if place == nil { isGood = false }
        if !needed.contains(name), names.insert(name).inserted {
            bytes += UInt64(place?.stored ?? 0)
        }
    }
}
