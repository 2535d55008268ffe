import Foundation
import OperatorAPI
import StateStore

extension FleetEvent {
    /// A record's event as a holder of `role` may see it, JSON: nobody sees the hashes of tokens'
    /// secrets, and below an operator nobody sees the values of variables and environments.
    static func shown(_ record: NewRecord, to role: AccessRole) -> String {
        let isFleet = record.stream == "fleet"
        guard isFleet || role < .operator else {
            return String(decoding: record.payload, as: UTF8.self)
        }
        guard let event = try? JSONSerialization.jsonObject(with: Data(record.payload)),
            let shown = try? JSONSerialization.data(
                withJSONObject: isFleet ? withoutSecrets(event) : withoutValues(event),
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

    private static func withoutValues(_ value: Any) -> Any {
        switch value {
        case let object as [String: Any]:
            Dictionary(
                uniqueKeysWithValues: object.map { key, inner in
                    guard key == "variables" || key == "env", let map = inner as? [String: Any]
                    else { return (key, withoutValues(inner)) }
                    return (key, map.mapValues { _ in "[redacted]" } as Any)
                })
        case let list as [Any]: list.map(withoutValues)
        default: value
        }
    }
}
