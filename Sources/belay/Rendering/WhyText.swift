import FleetWire
import RolloutCore

/// The answer to "why does it wait?", in sentences.
enum WhyText {
    static func sentence(_ why: WhyView, now: Timestamp) -> String {
        var text = why.waitsFor
        let waited = now.since(why.since)
        if waited.count >= 1000 {
            text = withoutStop(text) + " (for \(QuantityText.span(.seconds(waited.count / 1000))))."
        } else {
            text = withoutStop(text) + "."
        }
        if !why.next.isEmpty {
            text += " Next: " + withoutStop(why.next)
            if let at = why.nextAt, now < at {
                text += " in \(QuantityText.span(.seconds((at.since(now).count + 999) / 1000)))"
            }
            text += "."
        }
        return text
    }

    static func lines(_ why: WhyView, now: Timestamp, style: Style) -> [String] {
        var lines = [sentence(why, now: now)]
        if !why.hosts.isEmpty {
            let names = why.hosts.prefix(12).map(\.rawValue).joined(separator: ", ")
            let more = why.hosts.count > 12 ? " and \(why.hosts.count - 12) more" : ""
            lines.append(style.paint("held up by: ", .faint) + names + more)
        }
        return lines
    }

    private static func withoutStop(_ text: String) -> String {
        var text = text
        while text.hasSuffix(".") { text.removeLast() }
        return text
    }
}
