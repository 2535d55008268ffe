import Foundation
import StateStore

extension FleetEvent {
    /// A record's event as operators may see it, JSON: without the hashes of tokens' secrets.
    static func shown(_ record: NewRecord) -> String {
        guard record.stream == "fleet" else {
            return String(decoding: record.payload, as: UTF8.self)
        }
        guard let event = try? JSONSerialization.jsonObject(with: Data(record.payload)),
            let shown = try? JSONSerialization.data(
                withJSONObject: withoutSecrets(event),
                options: [.sortedKeys, .withoutEscapingSlashes])
        else { return "{}" }
        return String(decoding: shown, as: UTF8.self)
    }

    private static func withoutSecrets(_ value: Any) -> Any {
        switch value {
        case let object as [String: Any]:
            object.filter { $0.key != "secret" }.mapValues(withoutSecrets)
        case let list as [Any]: list.map(withoutSecrets)
        default: value
        }
    }
}
