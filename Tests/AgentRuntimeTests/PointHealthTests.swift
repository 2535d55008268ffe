import FleetWire
import Testing

@testable import AgentRuntime

@Suite("What is known of the stored points' health")
struct PointHealthTests {
    private static let (first, second) = (
        "20260101T000000000Z-00000001", "20260101T000000000Z-00000002"
    )

    private func point(_ text: String) throws -> PointID { try #require(PointID(rawValue: text)) }

    private func scrub(finding points: [PointID]) -> PointReply {
        var reply = PointReply(points: [])
        reply.scrub = ScrubReply(
            objects: 1, bytes: ByteCount(1), damagedPoints: points, repaired: 0, took: .zero)
        return reply
    }

    @Test("A scrub that was past a point does not take back what a look found since it began")
    func scrubs() throws {
        let (old, new) = (try point(Self.first), try point(Self.second))
        var health = PointHealth()
        health.take(old, damaged: ["x"], isDeep: true, at: Timestamp(milliseconds: 10))
        health.take(new, damaged: ["y"], isDeep: true, at: Timestamp(milliseconds: 30))
        health.take(
            scrub(finding: []), begun: Timestamp(milliseconds: 20), at: Timestamp(milliseconds: 40))
        #expect(health.damagedPoints == [new])
        health.take(
            scrub(finding: [new]), begun: Timestamp(milliseconds: 25),
            at: Timestamp(milliseconds: 45))
        #expect(health.troubles.map(\.subject) == [new.rawValue])
        #expect(health.troubles.map(\.since) == [Timestamp(milliseconds: 30)])
        health.take(
            scrub(finding: []), begun: Timestamp(milliseconds: 50), at: Timestamp(milliseconds: 60))
        #expect(health.troubles == [])
    }
}
