import FleetWire
import Foundation
import Testing

@Suite("The wire's specification")
struct SpecificationTests {
    @Test("Every message that the code writes fits its schema, and fills it")
    func messagesFitTheirSchemas() throws {
        for (type, payload) in try SampleMessages.payloads() {
            let object = try #require(Self.object(payload))
            var envelope = try JSONSchema(named: "envelope")
            #expect(envelope.problems(of: object) == [], "\(type.rawValue)")
            var schema = try JSONSchema(named: type.rawValue)
            #expect(
                schema.problems(of: try #require(object["body"])) == [], "\(type.rawValue)")
            #expect(schema.unseen() == [], "\(type.rawValue): no sample shows these")
        }
    }

    @Test("There is a schema for each type and no schema without one")
    func schemasAndTypesAgree() throws {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: JSONSchema.folder.appendingPathComponent("schema").path)
        let schemas = Set(files.map { $0.replacingOccurrences(of: ".json", with: "") })
        let types = Set(try SampleMessages.payloads().map(\.type.rawValue))
        #expect(schemas == types.union(["types", "envelope"]))
    }

    @Test("A message that lacks a field, has one too many or a wrong value does not fit")
    func schemasCanFail() throws {
        var hello = try #require(
            try SampleMessages.payloads().first { $0.type == .hello }.flatMap {
                Self.object($0.payload)?["body"] as? [String: Any]
            })
        var schema = try JSONSchema(named: "hello")
        hello["versions"] = nil
        #expect(schema.problems(of: hello) == ["$.versions: missing"])
        hello["versions"] = [1]
        hello["colour"] = "red"
        #expect(schema.problems(of: hello) == ["$.colour: the schema does not know it"])
        hello["colour"] = nil
        hello["generation"] = -1
        #expect(schema.problems(of: hello) == ["$.generation: below 0"])
    }

    @Test("The vectors of messages read and write back as they stand")
    func messageVectors() throws {
        let file = JSONSchema.folder.appendingPathComponent("vectors/messages.json")
        let samples = try SampleMessages.payloads()
        if ProcessInfo.processInfo.environment["BELAY_REWRITE"] == "1" {
            let all = samples.compactMap { Self.object($0.payload) }
            try JSONSerialization.data(
                withJSONObject: all,
                options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            ).write(to: file)
        }
        let vectors =
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [[String: Any]] ?? []
        #expect(vectors.count == samples.count)
        for (vector, sample) in zip(vectors, samples) {
            let bytes = try JSONSerialization.data(withJSONObject: vector)
            let again = try Self.rewrite(Array(bytes))
            #expect(
                String(decoding: again, as: UTF8.self)
                    == String(decoding: sample.payload, as: UTF8.self),
                "\(sample.type.rawValue)")
        }
    }

    @Test("Payloads that the vectors call malformed are refused with the reason that they give")
    func malformedVectors() throws {
        let vectors =
            try JSONSchema.read("vectors/malformed.json")["vectors"] as? [[String: String]]
        for vector in try #require(vectors) {
            let hex = try #require(vector["payload_hex"])
            let reason = try #require(vector["reason"])
            let error = #expect(throws: FrameError.self) {
                _ = try ReceivedMessage(payload: Self.bytes(hex))
            }
            #expect(error?.reason.hasPrefix(reason) == true, "\(vector)")
        }
    }

    @Test("Streams of the vectors decode to their payloads or end in their error")
    func frameVectors() throws {
        let vectors = try JSONSchema.read("vectors/frames.json")["vectors"] as? [[String: Any]]
        for vector in try #require(vectors) {
            let stream = Self.bytes(try #require(vector["stream_hex"] as? String))
            let expected = (vector["payloads"] as? [String] ?? []).map { Array($0.utf8) }
            var decoder = FrameDecoder()
            decoder.append(stream)
            var payloads: [[UInt8]] = []
            var failure: FrameError?
            do throws(FrameError) {
                while let payload = try decoder.next() { payloads.append(payload) }
            } catch {
                failure = error
            }
            #expect(payloads == expected)
            #expect(failure?.reason == vector["error"] as? String)
            #expect(decoder.pendingBytes == vector["pending_bytes"] as? Int ?? decoder.pendingBytes)
        }
    }

    static func object(_ payload: [UInt8]) -> [String: Any]? {
        try? JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any]
    }

    static func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count - 1, by: 2).compactMap { offset in
            let start = hex.index(hex.startIndex, offsetBy: offset)
            return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)
        }
    }

    /// Decodes a payload as its type says and encodes it again.
    static func rewrite(_ payload: [UInt8]) throws -> [UInt8] {
        let message = try ReceivedMessage(payload: payload)
        func again<Body: Codable & Sendable>(_ type: Body.Type) throws -> [UInt8] {
            let header = message.header
            return try Envelope(
                header.type, id: header.id, re: header.re, gen: header.gen,
                body: message.body(type)
            ).payload()
        }
        switch message.header.type {
        case .hello: return try again(Hello.self)
        case .welcome: return try again(Welcome.self)
        case .heartbeat: return try again(Heartbeat.self)
        case .order: return try again(TransactionOrder.self)
        case .report: return try again(TransactionReport.self)
        case .acknowledge: return try again(Acknowledgement.self)
        case .inspect: return try again(InspectRequest.self)
        case .inspection: return try again(Inspection.self)
        case .check: return try again(CheckRequest.self)
        case .checkResult: return try again(CheckResult.self)
        case .checked: return try again(CheckReply.self)
        case .point: return try again(PointRequest.self)
        case .points: return try again(PointReply.self)
        case .renew: return try again(RenewRequest.self)
        case .enrol: return try again(EnrolRequest.self)
        case .certificate: return try again(CertificateGrant.self)
        case .refused, .unsupported: return try again(Refusal.self)
        case .bye: return try again(Farewell.self)
        default: throw FrameError.notAnEnvelope("no such type: \(message.header.type.rawValue)")
        }
    }
}
