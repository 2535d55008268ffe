import FleetWire
import RolloutCore
import Testing

@testable import belay

@Suite("The checklist on the terminal")
struct ChecklistTextTests {
    /// As a coordinator sends it.
    static func list() throws -> ChecklistView {
        let text = """
            {"items":[
            {"id":"backup","category":"backup","description":"Back up the registry","depends_on":[],
            "critical":true,"required":true,"assignee":"ada","state":"failed","revision":2,
            "attempt":1,"by":"ada","reason":"disk full","started_at":0,"ended_at":60000},
            {"id":"freeze","category":"flags","description":"Freeze the flags","depends_on":[],
            "critical":false,"required":false,"state":"completed","revision":2,"attempt":1,
            "by":"bo","started_at":0,"ended_at":120000},
            {"id":"announce","category":"people","description":"Tell the users",
            "depends_on":["backup"],"critical":true,"required":false,"state":"blocked",
            "revision":0,"attempt":0,"waits_for":"blocked by backup (failed: disk full)"}],
            "progress":{"counts":{"failed":1,"completed":1,"blocked":1},"total":3,"percent":33,
            "critical_path":["backup","announce"],"remaining":1200000,"unestimated":["announce"]},
            "open_critical":["backup","announce"]}
            """
        return try WireJSON.decode(ChecklistView.self, from: Array(text.utf8))
    }

    @Test("shows what each item waits for, how far all is and what the first wave waits for")
    func show() throws {
        let list = try Self.list()
        let now = Timestamp(milliseconds: 180_000)
        try Golden.hold(
            ChecklistText.show(list, now: now, isWide: false, style: .plain) + [""]
                + ChecklistText.show(list, now: now, isWide: true, style: .plain) + [""]
                + ChecklistText.changed(list.items[0], list, style: .plain), "checklist")
        let document = try Document.text(of: list, as: .json)
        for word in ["open_critical", "waits_for", "revision", "critical_path"] {
            #expect(document.contains(word), "\(word)")
        }
    }
}
