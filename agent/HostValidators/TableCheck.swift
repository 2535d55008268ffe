import FleetWire
import HostProcesses
import SQLiteFile

/// Counts the rows of a table and holds their values against types.
struct TableCheck {
    /// What a value may be; an empty one may always be.
    enum Kind: String { case integer, number, text, boolean, any }

    /// Types by the names of columns.
    let columns: [String: Kind]
    private(set) var rows = 0
    /// What is wrong, the first of each column.
    private(set) var offences: [String] = []
    private var noted: Set<String> = []

    init(columns: [String: Kind]) { self.columns = columns }

    /// Notes each wanted column that `names` lacks.
    mutating func look(head names: [String]) {
        for column in columns.keys.sorted() where !names.contains(column) {
            note(column, "there is no column \(column)")
        }
    }

    mutating func countRow() { rows += 1 }

    mutating func note(_ column: String, _ what: String) {
        if noted.insert(column).inserted { offences.append(what) }
    }

    /// Holds a value of a row, of its text, against the column's type.
    mutating func look(_ text: String, _ column: String) {
        guard let kind = columns[column], !text.isEmpty else { return }
        let fits =
            switch kind {
            case .integer: Int(text) != nil
            case .number: Double(text).map(\.isFinite) ?? false
            case .boolean: ["true", "false", "0", "1"].contains(text.lowercased())
            case .text, .any: true
            }
        if !fits { offend(column, kind) }
    }

    mutating func look(_ value: JSONTree?, _ column: String) {
        guard let kind = columns[column] else { return }
        guard let value else { return note(column, "row \(rows) has no \(column)") }
        let fits =
            switch (kind, value) {
            case (_, .null), (.any, _), (.text, .text), (.number, .number), (.boolean, .flag): true
            case (.integer, .number(let number)): Int(exactly: number) != nil
            case (.integer, _), (.number, _), (.text, _), (.boolean, _): false
            }
        if !fits { offend(column, kind) }
    }

    mutating func look(_ value: SQLiteValue, _ column: String) {
        guard let kind = columns[column] else { return }
        let fits =
            switch (kind, value) {
            case (_, .null), (.any, _), (.integer, .integer), (.number, .integer), (.number, .real),
                (.text, .text):
                true
            case (.boolean, .integer(let number)): number == 0 || number == 1
            case (.integer, _), (.number, _), (.text, _), (.boolean, _): false
            }
        if !fits { offend(column, kind) }
    }

    private mutating func offend(_ column: String, _ kind: Kind) {
        note(column, "\(column) of row \(rows) is no \(kind.rawValue)")
    }

    // MARK: - Reading

    mutating func read(
        csv path: String, _ cancellation: OwnThread.Cancellation
    ) throws(FileParts.Failure) {
        var reader = CSVReader()
        var head: [String]?
        var check = self
        func take(_ fields: [String]) {
            guard let names = head else {
                head = fields
                return check.look(head: fields)
            }
            check.countRow()
            if fields.count != names.count {
                check.note("", "row \(check.rows) has \(fields.count) fields, not \(names.count)")
            }
            for (name, field) in zip(names, fields) { check.look(field, name) }
        }
        try FileParts.forEach(of: path, cancellation) { reader.take($0, take) }
        reader.finish(take)
        self = check
        if let line = reader.brokenLine { note("", "line \(line) is not CSV") }
        if head == nil { note("", "it has no head") }
    }

    mutating func read(
        jsonLines path: String, _ cancellation: OwnThread.Cancellation
    ) throws(FileParts.Failure) {
        var cutter = LineCutter()
        var check = self
        func take(_ line: ArraySlice<UInt8>) {
            check.countRow()
            guard case .map(let members)? = JSONTree(Array(line)) else {
                return check.note("", "row \(check.rows) is no JSON object")
            }
            for column in check.columns.keys.sorted() { check.look(members[column], column) }
        }
        try FileParts.forEach(of: path, cancellation) { cutter.take($0, take) }
        cutter.finish(take)
        self = check
    }

    mutating func read(
        sqlite path: String, table: String, _ deadline: ContinuousClock.Instant,
        _ cancellation: OwnThread.Cancellation
    ) throws(SQLiteError) {
        let database = try SQLiteConnection(path: path, mode: .readOnly, busyMilliseconds: 1000)
        var check = self
        try database.until(deadline, or: { cancellation.isCancelled }) { () throws(SQLiteError) in
            let names = try database.query("SELECT name FROM pragma_table_info(?)", [.text(table)])
                .compactMap { $0.first?.text }
            guard !names.isEmpty else { return check.note("", "there is no table \(table)") }
            check.look(head: names)
            let quoted = "\"" + table.replacing("\"", with: "\"\"") + "\""
            try database.forEachRow("SELECT * FROM \(quoted)") { row in
                check.countRow()
                for (name, value) in zip(names, row) { check.look(value, name) }
            }
        }
        self = check
    }
}
