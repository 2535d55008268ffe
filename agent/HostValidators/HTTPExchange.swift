import HostProcesses

/// One request over plain HTTP/1.1 and its answer; redirects are not followed.
struct HTTPExchange {
    struct Failure: Error {
        let reason: String
        /// True if the service answered wrongly or not at all; false if nothing can be told of it.
        let isTold: Bool
    }

    var method = "GET"
    var url: String
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// Of the answer; what comes behind is not read.
    var bodyBytesMax = 65536

    /// The answer, which has a status. Every wait ends at the deadline.
    func run(
        deadline: ContinuousClock.Instant, cancellation: OwnThread.Cancellation
    ) throws(Failure) -> HTTPResponse {
        guard let target = HTTPTarget(url) else {
            throw Failure(
                reason: "\(url) is no URL of the form http://host[:port]/path; only plain HTTP is "
                    + "spoken", isTold: false)
        }
        let socket = TCPSocket(deadline: deadline, cancellation: cancellation)
        defer { socket.close() }
        var response = HTTPResponse(bodyBytesMax: bodyBytesMax, isHead: method == "HEAD")
        do throws(TCPSocket.Failure) {
            try socket.connect(host: target.host, port: target.port)
            try socket.send(bytes: head(target) + body)
            while !response.isComplete {
                let bytes = try socket.receive()
                if bytes.isEmpty { break }
                response.take(bytes)
            }
        } catch {
            throw Failure(
                reason: error.isLate ? error.reason : "\(url): \(error.reason)",
                isTold: !error.isLate)
        }
        guard response.status != nil else {
            throw Failure(reason: "\(url): the answer is not HTTP", isTold: true)
        }
        return response
    }

    private func head(_ target: HTTPTarget) -> [UInt8] {
        var lines = [
            "\(method) \(target.path) HTTP/1.1", "Host: \(target.authority)",
            "User-Agent: belay-agent", "Connection: close",
        ]
        if !headers.contains(where: { $0.name.lowercased() == "accept" }) {
            lines.append("Accept: */*")
        }
        if !body.isEmpty || ["POST", "PUT", "PATCH"].contains(method) {
            lines.append("Content-Length: \(body.count)")
        }
        lines += headers.map { "\($0.name): \($0.value)" }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}
