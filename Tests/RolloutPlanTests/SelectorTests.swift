import RolloutPlan
import Testing

struct SelectorTests {
    @Test(arguments: [
        ("app=web", true), ("app==web", true), ("app=db", false), ("app!=db", true),
        ("app != web", false), ("zone in (a,b)", true), ("zone in ( b , c )", false),
        ("zone notin (b,c)", true), ("zone notin (a)", false), ("none!=x", true),
        ("none notin (x)", true), ("none in (x)", false), ("app", true), ("none", false),
        ("!none", true), ("!app", false), ("! none", true), ("app=web,zone=a", true),
        ("app=web, zone=b", false), ("empty=", true), ("app=", false), ("empty in (,x)", true),
        ("in=yes", true), ("in in (yes)", true), ("belay.example/role=x", true),
        ("app=web,!zone", false), ("none=x", false),
    ])
    func `a selector matches as in Kubernetes`(text: String, matches: Bool) throws {
        let labels = [
            "app": "web", "zone": "a", "empty": "", "in": "yes", "belay.example/role": "x",
        ]
        #expect(try Selector(parsing: text).matches(labels) == matches)
    }

    @Test(arguments: [
        ("", 1), ("   ", 1), (",", 1), ("a,", 3), ("a,,b", 3), ("a b", 3), ("a in b", 6),
        ("a in (", 7), ("a in ()", 7), ("a in (b", 8), ("a in (b c)", 9), ("!", 2), ("!!a", 2),
        ("a=b=c", 4), ("=b", 1), ("a=(b)", 3), ("a>1", 2), ("a=é", 3), ("a in (b))", 9),
    ])
    func `an ill-formed selector says where`(text: String, column: Int) {
        do {
            _ = try Selector(parsing: text)
            Issue.record("`\(text)` was taken")
        } catch {
            #expect(error.column == column, "\(error.message)")
        }
    }
}
