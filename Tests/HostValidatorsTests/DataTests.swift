import FleetWire
import SQLiteFile
import Testing

@testable import HostValidators

extension CheckRoot {
    func database(_ name: String, _ script: String) throws {
        try SQLiteConnection(path: path + name, mode: .create).run(script: script)
    }
}

@Suite struct DatasetIntegrityTests {
    /// SHA-256 of "a\n" and "b\n".
    private let a = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"
    private let b = "0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f"

    private func manifest(_ more: [String: ParameterValue] = [:]) -> [String: ParameterValue] {
        ["manifest": .text("/data/SHA256SUMS")].merging(more) { $1 }
    }

    @Test func filesAreHeldAgainstTheirManifest() async throws {
        let root = try CheckRoot()
        func expect(_ lines: String, _ row: Row) async throws {
            try root.place("/data/SHA256SUMS", lines)
            try await root.expect("dataset_integrity", row)
        }
        try root.place("/data/a", "a\n")
        try root.place("/data/sub/b", "b\n")
        let both = "\(a)  a\n\(b) *sub/b\n"
        try await expect(both, Row("whole", manifest(), .pass, says: "2 files, 4 B"))
        try await expect("\(b)  a\n", Row("other bytes", manifest(), .fail, says: "a: other bytes"))
        try await expect("\(a)  c\n", Row("missing", manifest(), .fail, says: "No such file"))
        try await expect("", Row("empty", manifest(), .unknown, says: "names no file"))
        try await expect("\n\n", Row("blank", manifest(), .unknown))
        try await expect(
            "abc  a\n", Row("no digest", manifest(), .unknown, says: "would not write"))
        try await expect("\(a)  ../a\n", Row("outside", manifest(), .unknown, says: "leads out"))
        try await expect("\(a)  sub\n", Row("a folder", manifest(), .unknown))
        let none = ["manifest": ParameterValue.text("/none")]
        try await root.expect("dataset_integrity", Row("none", none, .fail))
    }

    @Test func aSampleIsTheSameForTheSameSeedAndSaysSo() async throws {
        let root = try CheckRoot()
        var lines = ""
        for number in 0..<20 {
            try root.place("/data/\(number)", "a\n")
            lines += "\(number == 7 ? b : a)  \(number)\n"
        }
        try root.place("/data/SHA256SUMS", lines)
        var failed = 0
        for seed in 0..<20 {
            let parameters = manifest(["sample": .whole(5), "seed": .whole(seed)])
            let one = try await root.validate("dataset_integrity", parameters)
            let other = try await root.validate("dataset_integrity", parameters)
            #expect(one.status == other.status)
            #expect(one.measured.contains("5 files, a sample of 20 by seed \(seed)"), "\(one)")
            if one.status == .fail { failed += 1 }
        }
        #expect(failed > 0 && failed < 20, "other seeds take other files")
        let all = try await root.validate("dataset_integrity", manifest(["sample": .whole(20)]))
        #expect(all.status == .fail && !all.measured.contains("sample"))
    }

    private func table(
        _ path: String, _ more: [String: ParameterValue], columns: [String: String]? = nil
    ) -> [String: ParameterValue] {
        var parameters: [String: ParameterValue] = ["table": .text(path)]
        if let columns { parameters["columns"] = .map(columns.mapValues { .text($0) }) }
        return parameters.merging(more) { $1 }
    }

    private func tables() throws -> CheckRoot {
        let root = try CheckRoot()
        try root.place("/t.csv", "id,name,share,ok\n1,\"a, \"\"b\"\"\nc\",0.5,true\n2,,,false\n")
        try root.place(
            "/t.jsonl",
            "{\"id\":1,\"name\":\"a\",\"share\":0.5,\"ok\":true}\n\n{\"id\":2,\"name\":null,\"share\":null,\"ok\":false}\n"
        )
        try root.database(
            "/t.db",
            "CREATE TABLE t(id INTEGER, name TEXT, share REAL, ok INTEGER);"
                + "INSERT INTO t VALUES (1, 'a', 0.5, 1), (2, NULL, NULL, 0);"
                + "CREATE TABLE empty(id)")
        try root.place("/ragged.csv", "id,name\n1\n")
        try root.place("/open.csv", "id\n\"1\n")
        try root.place("/empty.csv", "id\n")
        try root.place("/broken.jsonl", "{\"id\":1}\n[]\n")
        try root.place("/noise.db", "no database, and long enough to be taken for none of them")
        return root
    }

    @Test func tablesAreHeldAgainstRowsColumnsAndTypes() async throws {
        let root = try tables()
        let types = ["id": "integer", "name": "text", "share": "number", "ok": "boolean"]
        let sqlite: [String: ParameterValue] = ["name": .text("t")]
        for (path, more) in [("/t.csv", [:]), ("/t.jsonl", [:]), ("/t.db", sqlite)] {
            for row in [
                Row(
                    "as it should be", table(path, more, columns: types), .pass,
                    says: "2 rows, 4 col"),
                Row("enough", table(path, more.merging(["rows_min": .whole(2)]) { $1 }), .pass),
                Row(
                    "too few", table(path, more.merging(["rows_min": .whole(3)]) { $1 }), .fail,
                    says: "rows_min"),
                Row(
                    "few", table(path, more.merging(["rows_warn": .whole(3)]) { $1 }), .warn,
                    says: "rows_warn"),
                Row(
                    "too many", table(path, more.merging(["rows_max": .whole(1)]) { $1 }), .fail,
                    says: "rows_max"),
                Row("no column", table(path, more, columns: ["key": "any"]), .fail, says: "key"),
                Row(
                    "another type", table(path, more, columns: ["share": "integer"]), .fail,
                    says: "share of row 1 is no integer"),
                Row("nothing asked", table(path, more), .unknown, says: "nothing is asked"),
            ] {
                try await root.expect("dataset_integrity", row)
            }
        }
    }

    @Test func whatIsNoTableNeverPasses() async throws {
        let root = try tables()
        for row in [
            Row(
                "ragged", table("/ragged.csv", [:], columns: ["id": "any"]), .fail,
                says: "1 fields, not 2"),
            Row(
                "open quote", table("/open.csv", [:], columns: ["id": "any"]), .fail,
                says: "not CSV"),
            Row(
                "no row", table("/empty.csv", [:], columns: ["id": "any"]), .fail,
                says: "rows_min, 1"),
            Row("no row wanted", table("/empty.csv", ["rows_min": .whole(0)]), .pass),
            Row(
                "no object", table("/broken.jsonl", ["rows_min": .whole(1)]), .fail,
                says: "no JSON object"),
            Row(
                "no table", table("/t.db", ["name": .text("u"), "rows_min": .whole(0)]), .fail,
                says: "no table u"),
            Row(
                "an empty table", table("/t.db", ["name": .text("empty"), "rows_warn": .whole(0)]),
                .fail),
            Row("no name", table("/t.db", ["rows_min": .whole(1)]), .unknown, says: "no table"),
            Row(
                "no database", table("/noise.db", ["name": .text("t"), "rows_min": .whole(1)]),
                .fail),
            Row(
                "no format", table("/ragged", ["rows_min": .whole(1)]), .unknown,
                says: "cannot be told"),
            Row(
                "a format", table("/t.csv", ["format": .text("jsonl"), "rows_min": .whole(1)]),
                .fail),
            Row(
                "no file", table("/none.csv", ["rows_min": .whole(1)]), .fail, says: "No such file"),
        ] {
            try await root.expect("dataset_integrity", row)
        }
    }
}

@Suite struct DataConsistencyTests {
    private func asked(
        _ left: [String: ParameterValue], _ right: [String: ParameterValue],
        _ more: [String: ParameterValue] = [:]
    ) -> [String: ParameterValue] {
        ["left": .map(left), "right": .map(right)].merging(more) { $1 }
    }

    @Test func twoSourcesAreCompared() async throws {
        let root = try CheckRoot()
        try root.place("/one", "1|a\n2|b\n3|c\n")
        try root.place("/other", "3|c\n\n1|a\r\n2|b")
        try root.place("/changed", "1|a\n2|b\n3|d\n")
        try root.place("/twice", "1|a\n1|a\n3|c\n")
        try root.place("/less", "1|a\n2|b\n")
        try root.place("/empty", "")
        try root.database(
            "/t.db",
            "CREATE TABLE t(id INTEGER, name TEXT); INSERT INTO t VALUES (1,'a'),(2,'b'),(3,'c')")
        func file(_ name: String) -> [String: ParameterValue] { ["file": .text(name)] }
        func query(_ text: String) -> [String: ParameterValue] {
            ["sqlite": .text("/t.db"), "query": .text(text)]
        }
        func shell(_ text: String) -> [String: ParameterValue] {
            ["argv": .list(["/bin/sh", "-c", text].map { .text($0) })]
        }
        let rows = query("SELECT id, name FROM t")
        let ordered: [String: ParameterValue] = ["ordered": .flag(true)]
        for row in [
            Row("the same", asked(file("/one"), rows), .pass, says: "left 3 records"),
            Row("a program", asked(file("/one"), shell("cat $BELAY_ROOT/one")), .pass),
            Row("another order", asked(file("/one"), file("/other")), .pass),
            Row(
                "their order", asked(file("/one"), file("/other"), ordered), .fail,
                says: "another content"),
            Row("in order", asked(file("/one"), rows, ordered), .pass),
            Row(
                "another record", asked(file("/one"), file("/changed")), .fail,
                says: "another content"),
            Row("one twice", asked(file("/one"), file("/twice")), .fail),
            Row("one less", asked(file("/one"), file("/less")), .fail, says: "differ by 1"),
            Row(
                "a word", asked(file("/one"), file("/less"), ["count_difference_warn": .whole(1)]),
                .warn),
            Row("both empty", asked(file("/empty"), file("/empty")), .fail, says: "count_min, 1"),
            Row(
                "may be empty", asked(file("/empty"), file("/empty"), ["count_min": .whole(0)]),
                .pass),
            Row("too few", asked(file("/one"), file("/one"), ["count_min": .whole(4)]), .fail),
            Row("no file", asked(file("/one"), file("/none")), .unknown, says: "right: "),
            Row("no query", asked(query("SELECT nothing"), file("/one")), .unknown, says: "left: "),
            Row(
                "a failure", asked(file("/one"), shell("cat $BELAY_ROOT/one; exit 1")), .unknown,
                says: "exit 1"),
            Row("no source", asked([:], file("/one")), .unknown, says: "exactly one"),
            Row("two sources", asked(file("/one").merging(rows) { $1 }, file("/one")), .unknown),
        ] {
            try await root.expect("data_consistency", row)
        }
    }
}
