import FleetWire

/// What a point holds; the format's section "Manifest". Entries lie in catalogues, which are objects.
struct Manifest: Codable {
    struct Component: Codable {
        var spec: ComponentSpec
        var entries: Int
        var bytes: ByteCount
        var state: Digest
        var catalogue: [Digest]
    }

    static let version = 1

    var version: Int
    var id: PointID
    var at: Timestamp
    /// An operator's name for the point, unique within the store.
    var name: String?
    var reason: String
    var rollout: RolloutID?
    var components: [Component]

    /// The bytes of the manifest's file.
    func encoded() throws -> [UInt8] {
        let body = try WireJSON.encode(self)
        let digest = ObjectID(hashing: body).digest
        return Array("{\"digest\":\"\(digest)\",\"point\":".utf8) + body + Array("}\n".utf8)
    }

    /// Reads a file's bytes and checks them; gives the digest too.
    static func decode(_ bytes: [UInt8], path: String) throws -> (Manifest, Digest) {
        let before = Array("{\"digest\":\"sha256:".utf8)
        let between = Array("\",\"point\":".utf8)
        let start = before.count + 64 + between.count
        guard bytes.count > start + 2, bytes.starts(with: before),
            Array(bytes[(before.count + 64)..<start]) == between, bytes.suffix(2) == [0x7D, 0x0A],
            let digest = Digest(
                String(decoding: bytes[before.count..<before.count + 64], as: UTF8.self))
        else { throw PointError.damaged(path, "it is no manifest") }
        let body = Array(bytes[start..<bytes.count - 2])
        guard ObjectID(hashing: body).digest == digest else {
            throw PointError.damaged(path, "its bytes do not match its digest")
        }
        struct Head: Decodable { var version: Int }
        guard let head = try? WireJSON.decode(Head.self, from: body) else {
            throw PointError.damaged(path, "it has no version")
        }
        guard head.version == version else {
            throw PointError(
                "read", path, "it is of version \(head.version)",
                "use the version of belay-agent that wrote it")
        }
        do {
            return (try WireJSON.decode(Manifest.self, from: body), digest)
        } catch {
            throw PointError.damaged(path, "\(error)")
        }
    }

    func summary(_ digest: Digest) -> PointSummary {
        PointSummary(
            id: id, at: at, reason: reason, rollout: rollout,
            components: components.map {
                PointComponent(
                    name: $0.spec.name, driver: $0.spec.driver.name, entries: $0.entries,
                    bytes: $0.bytes)
            },
            digest: digest)
    }
}
