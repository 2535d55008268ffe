import FleetWire
import FoundationEssentials

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
    /// The identifier of the key that the point is sealed with; nil if it is not.
    var key: String?
    var components: [Component]

    /// What of a sealed point can be read without its key.
    struct Sealed: Codable {
        var version: Int
        var id: PointID
        var at: Timestamp
        var key: String
        /// The manifest itself, sealed, in base 64.
        var sealed: Data
    }

    /// The bytes of the manifest's file, sealed if `codec` has a key.
    func encoded(_ codec: ObjectCodec = .plain) throws -> [UInt8] {
        var manifest = self
        manifest.key = codec.key?.name
        var body = try WireJSON.encode(manifest)
        if let key = manifest.key {
            let sealed = try codec.protect(body, as: "point \(id)")
            body = try WireJSON.encode(
                Sealed(version: version, id: id, at: at, key: key, sealed: Data(sealed)))
        }
        let digest = ObjectID(hashing: body).digest
        return Array("{\"digest\":\"\(digest)\",\"point\":".utf8) + body + Array("}\n".utf8)
    }

    /// Reads a file's bytes and checks them; gives the digest too. `codec` gives the codec of the
    /// key that is named, and throws if it cannot be had.
    static func decode(
        _ bytes: [UInt8], path: String, codec: (String) throws -> ObjectCodec
    ) throws -> (Manifest, Digest) {
        let (body, digest) = try body(of: bytes, path: path)
        struct Head: Decodable {
            var version: Int
            var key: String?
            var sealed: Data?
        }
        guard let head = try? WireJSON.decode(Head.self, from: body) else {
            throw PointError.damaged(path, "it has no version")
        }
        guard head.version == version else {
            throw PointError(
                "read", path, "it is of version \(head.version)",
                "use the version of belay-agent that wrote it")
        }
        var plain = body
        if let key = head.key, let sealed = head.sealed {
            let id = (path.split(separator: "/").last ?? "").dropLast(".json".count)
            plain = try codec(key).reveal(Array(sealed), as: "point \(id)")
        }
        do {
            let manifest = try WireJSON.decode(Manifest.self, from: plain)
            guard manifest.key == head.key else {
                throw PointError.damaged(path, "it names another key than it is sealed with")
            }
            return (manifest, digest)
        } catch let error as PointError {
            throw error
        } catch {
            throw PointError.damaged(path, "\(error)")
        }
    }

    /// The bytes of `point` within a file's bytes, checked against the digest beside them.
    private static func body(of bytes: [UInt8], path: String) throws -> ([UInt8], Digest) {
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
        return (body, digest)
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
