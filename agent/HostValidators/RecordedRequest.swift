import FleetWire

/// One request and its answer, as they were recorded.
struct RecordedRequest {
    struct Malformed: Error {
        let reason: String
    }

    static let safeMethods = ["GET", "HEAD", "OPTIONS"]

    let method: String
    let path: String
    let headers: [(name: String, value: String)]
    let body: [UInt8]
    let status: Int
    /// Nil if only the status was recorded.
    let answer: JSONTree?

    var isSafe: Bool { Self.safeMethods.contains(method) }
    var name: String { "\(method) \(path)" }

    init(_ line: [UInt8], number: Int) throws(Malformed) {
        func broken(_ what: String) -> Malformed { Malformed(reason: "line \(number): \(what)") }
        guard let tree = JSONTree(line), let request = tree["request"],
            let response = tree["response"]
        else { throw broken("no JSON object with `request` and `response`") }
        guard let path = request["path"]?.text, path.hasPrefix("/") else {
            throw broken("`request.path` must begin with /")
        }
        guard case .number(let status)? = response["status"], let code = Int(exactly: status),
            (200...599).contains(code)
        else { throw broken("`response.status` must be a status from 200 to 599") }
        var headers: [(name: String, value: String)] = []
        if case .map(let members)? = request["headers"] {
            for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                guard let text = value.text, !(name + text).contains(where: \.isNewline) else {
                    throw broken("header `\(name)` must be a string of one line")
                }
                headers.append((name, text))
            }
        }
        let method = (request["method"]?.text ?? "GET").uppercased()
        guard method.utf8.allSatisfy({ (0x41...0x5A).contains($0) }), !method.isEmpty else {
            throw broken("`request.method` must be letters")
        }
        self.method = method
        self.path = path
        self.headers = headers
        self.status = code
        switch request["body"] {
        case nil, .null: body = []
        case .text(let text)?: body = Array(text.utf8)
        case .some: throw broken("`request.body` must be a string")
        }
        answer = response["body"]
    }
}
