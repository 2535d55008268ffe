import FleetWire
import Logging
import OperatorAPI
import RolloutCalendar
import RolloutCore
import RolloutPlan

/// What a rollout's machine cannot know and asks for, besides gates.
extension Coordinator {
    /// A host to compare with its rollback point.
    struct Comparison: Sendable {
        let rollout: RolloutID
        let host: HostID
        let point: PointID
    }

    /// Reads a plan's calendar. One that cannot be read is closed, and read again soon.
    func read(_ calendar: WorkCalendar, for id: RolloutID) {
        let now = clock()
        let reading: CalendarReading
        do {
            reading = try CalendarReader.read(calendar, at: now)
        } catch {
            logger.error(
                "a calendar cannot be read",
                metadata: ["rollout": "\(id)", "reason": "\(error)"])
            reading = CalendarReading(
                isOpen: false, changesAt: now + CoordinatorLimits.calendarRetry,
                why: "the calendar cannot be read: \(error)")
        }
        enqueue(
            .rollout(id, .calendarRead(reading, at: now)), actor: "coordinator", done: nil)
    }

    /// Compares hosts as they come, some at a time, until the stream ends.
    func compareHosts() async {
        await comparisons.forEach(atMost: CoordinatorLimits.pointsAtOnce) { await self.compare($0) }
    }

    private func compare(_ item: Comparison) async {
        let request = PointRequest(action: .diff, point: item.point.rawValue)
        let answer = await ask(item.host, request, within: CoordinatorLimits.compareWithin)
        guard !Task.isCancelled else { return }
        let found = Self.comparison(item.point, answer.reply, answer.failure?.message)
        enqueue(
            .rollout(item.rollout, .compared(item.host, found, at: clock())),
            actor: "host:\(item.host)", done: nil)
    }

    static func comparison(
        _ point: PointID, _ reply: PointReply?, _ failure: String?
    ) -> PointComparison {
        guard let changes = reply?.changes else {
            return PointComparison(
                point: point, differences: nil,
                detail:
                    "could not be compared: \(failure ?? "its agent said nothing of differences")"
                    .cut(toJSONBytes: CoordinatorLimits.refusalBytesMax))
        }
        let count = changes.count + (reply?.more ?? 0)
        let first = changes.prefix(3).map { "\($0.component):\($0.path) (\($0.change.rawValue))" }
        let detail =
            count == 0
            ? "nothing differs from \(point)"
            : "\(count) \(count == 1 ? "entry differs" : "entries differ") from \(point): "
                + first.joined(separator: ", ") + (count > first.count ? ", …" : "")
        return PointComparison(
            point: point, differences: count,
            detail: PlainText.line(detail).cut(toJSONBytes: CoordinatorLimits.refusalBytesMax))
    }
}
