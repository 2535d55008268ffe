import AsyncHTTPClient
import FleetWire
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Asks servers on behalf of gates: certificates are verified, redirects are not followed, time and
/// size are bounded, and no error repeats a header's value.
package struct GateClient: Sendable {
    /// Why there is no answer, in words that hold no secret.
    struct NoAnswer: Error { let why: String }

    /// An answer.
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]
    }

    /// What is asked, by POST.
    struct Question: Sendable {
        var url: String
        var headers: [String: String]
        var contentType: String
        var body: [UInt8]
        var timeout: Milliseconds
    }

    private let client: HTTPClient

    /// A client that trusts the system's authorities, or only those of `authorities`, PEM.
    package init(authorities: String? = nil) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authorities {
            tls.trustRoots = .certificates(
                try NIOSSLCertificate.fromPEMBytes(Array(authorities.utf8)))
        }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .milliseconds(GateLimits.connectWithin.count)))
        configuration.httpVersion = .http1Only
        // A gate asks again by itself; waiting for its whole timeout would only hide why.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Closes its connections; it is not used afterwards.
    package func shutdown() async { try? await client.shutdown() }

    /// Throws `NoAnswer`.
    func ask(_ question: Question) async throws(NoAnswer) -> Answer {
        let place = try Self.place(question.url)
        var request = HTTPClientRequest(url: question.url)
        request.method = .POST
        request.headers.add(name: "content-type", value: question.contentType)
        request.headers.add(name: "accept", value: "application/json")
        for (name, value) in question.headers.sorted(by: { $0.key < $1.key }) {
            request.headers.replaceOrAdd(name: name, value: try Self.header(name, value))
        }
        request.body = .bytes(ByteBuffer(bytes: question.body))
        do {
            return try await within(question.timeout, request)
        } catch let error as NoAnswer {
            throw NoAnswer(why: "\(place) \(error.why)")
        } catch {
            throw NoAnswer(why: "\(place) \(Self.words(error))")
        }
    }

    /// One bound over connection, head and body: a server that drips is cut off as well.
    private func within(
        _ timeout: Milliseconds, _ request: HTTPClientRequest
    ) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            group.addTask { [client] in
                let response = try await client.execute(
                    request, timeout: .milliseconds(timeout.count))
                do {
                    let body = try await response.body.collect(upTo: GateLimits.answerBytesMax)
                    return Answer(
                        status: Int(response.status.code), body: Array(body.readableBytesView))
                } catch is NIOTooManyBytesError {
                    throw NoAnswer(
                        why: "answered with more than \(GateLimits.answerBytesMax) bytes")
                }
            }
            group.addTask {
                try await Task.sleep(for: timeout.duration)
                throw NoAnswer(why: "did not answer within \(timeout.text)")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    /// Scheme, host and port of a URL, for messages: paths, queries and user names can be secret.
    private static func place(_ text: String) throws(NoAnswer) -> String {
        guard let url = URLComponents(string: text), let host = url.host, !host.isEmpty,
            let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme)
        else { throw NoAnswer(why: "the URL is no http or https URL") }
        return "\(scheme)://\(host)" + (url.port.map { ":\($0)" } ?? "")
    }

    /// A header's value; one of the form `file:/path` is read now.
    private static func header(_ name: String, _ value: String) throws(NoAnswer) -> String {
        var text = value
        if value.hasPrefix("file:") {
            let path = String(value.dropFirst("file:".count))
            guard let bytes = SmallFile.read(path, bytesMax: GateLimits.headerBytesMax) else {
                throw NoAnswer(
                    why: "header \(name) cannot be read from \(path) (a file of at most "
                        + "\(GateLimits.headerBytesMax) bytes that the coordinator may read)")
            }
            text = String(decoding: bytes, as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw NoAnswer(why: "the value of header \(name) is empty or no line of text")
        }
        guard !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
            throw NoAnswer(why: "a header's name is malformed")
        }
        return text
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return words(first.error) }
            return "cannot be reached: its name is not known"
        case let error as IOError: return "cannot be reached: error \(error.errnoCode)"
        case let error as HTTPClientError:
            return [.deadlineExceeded, .connectTimeout, .readTimeout].contains(error)
                ? "did not answer in time" : "broke off (\(error.shortDescription))"
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            return
                "is not trusted: its certificate is not of a known authority, or not for this name"
        case is CancellationError: return "was not waited for"
        default: return "gave no answer that can be read"
        }
    }
}

/// Reads small files.
enum SmallFile {
    /// The whole content; nil if it cannot be read or is larger.
    static func read(_ path: String, bytesMax: Int) -> [UInt8]? {
        guard path.hasPrefix("/"), let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        guard let data = try? file.read(upToCount: bytesMax + 1), data.count <= bytesMax else {
            return nil
        }
        return Array(data)
    }
}
