/// The numeric columns of a table, packed one behind the other in one block of memory.
struct ColumnMatrix {
    /// The names of the packed columns, in order.
    let names: [String]
    private let rowCount: Int
    private let storage: [Double]

    /// Packs the numeric columns; a missing value becomes NaN.
    init(packing table: CSVTable) {
        var names: [String] = []
        var storage: [Double] = []
        for (index, name) in table.columns.enumerated() {
            guard let numbers = table.numbers(inColumn: index) else { continue }
            names.append(name)
            storage.append(contentsOf: numbers.map { $0 ?? .nan })
        }
        self.names = names
        self.storage = storage
        self.rowCount = table.rows.count
    }

    /// The values of the packed column at an index; refuses one that the matrix has not.
    func column(at index: Int) throws(RegistryProblem) -> ArraySlice<Double> {
        guard names.indices.contains(index) else {
            throw RegistryProblem(
                .corrupt,
                "column matrix has no column \(index): it holds \(names.count) numeric columns")
        }
        return storage[(index * rowCount)..<((index + 1) * rowCount)]
    }
}
