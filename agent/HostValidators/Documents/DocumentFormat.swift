/// The formats of files that can be read.
enum DocumentFormat: String, CaseIterable {
    case yaml, json, toml, ini

    /// The format that the end of a file's name says; nil if it says none.
    init?(path: String) {
        guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return nil }
        let end = path[path.index(after: dot)...].lowercased()
        self.init(rawValue: end == "yml" ? "yaml" : end)
    }

    func read(_ bytes: [UInt8]) throws(DocumentError) -> Document {
        switch self {
        case .yaml: try YAMLReader.read(bytes)
        case .json: try JSONReader.read(bytes)
        case .toml: try TOMLReader.read(bytes)
        case .ini: try INIReader.read(bytes)
        }
    }
}
