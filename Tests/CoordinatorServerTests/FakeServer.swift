import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// An HTTP server on loopback that answers with whatever bytes a test wants, good or bad.
final class FakeServer: Sendable {
    /// What is sent back for one request.
    enum Answer: Sendable {
        /// A whole answer.
        case status(Int, [String: String] = [:], String)
        /// These bytes, then the end of the connection.
        case raw(String)
        /// The bytes of a head, and then one byte of body each 50 ms without end.
        case drip
        /// Nothing at all.
        case silence
    }

    let port: Int
    private let channel: any Channel
    private let heard: Heard

    /// What arrived, whole requests as text.
    final class Heard: Sendable {
        private let all = Mutex<[String]>([])
        func add(_ text: String) { all.withLock { $0.append(text) } }
        var requests: [String] { all.withLock { $0 } }
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [String] { heard.requests }

    private init(channel: any Channel, heard: Heard) {
        self.channel = channel
        self.heard = heard
        port = channel.localAddress?.port ?? 0
    }

    /// Serves as long as `body` runs.
    static func run(
        _ answer: @escaping @Sendable (String) -> Answer,
        _ body: (FakeServer) async throws -> Void
    ) async throws {
        let heard = Heard()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { child in
                child.pipeline.addHandler(Handler(heard: heard, answer: answer))
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = FakeServer(channel: channel, heard: heard)
        do {
            try await body(server)
        } catch {
            try? await channel.close()
            throw error
        }
        try? await channel.close()
    }

    private final class Handler: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let heard: Heard
        private let answer: @Sendable (String) -> Answer
        private let kept = Mutex("")

        init(heard: Heard, answer: @escaping @Sendable (String) -> Answer) {
            self.heard = heard
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            let request: String? = kept.withLock { kept in
                kept += text
                guard Self.isWhole(kept) else { return nil }
                defer { kept = "" }
                return kept
            }
            guard let request else { return }
            heard.add(request)
            reply(answer(request), context.channel)
        }

        private static func isWhole(_ text: String) -> Bool {
            guard let end = text.range(of: "\r\n\r\n") else { return false }
            let head = text[..<end.lowerBound].lowercased()
            let line = head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
            let length = line.flatMap { Int($0.drop { $0 != ":" }.dropFirst().trimmed) } ?? 0
            return text[end.upperBound...].utf8.count >= length
        }

        private func reply(_ answer: Answer, _ channel: any Channel) {
            switch answer {
            case .status(let status, let headers, let body):
                let lines = headers.map { "\($0): \($1)\r\n" }.joined()
                send(
                    "HTTP/1.1 \(status) X\r\ncontent-length: \(body.utf8.count)\r\n\(lines)\r\n"
                        + body, channel)
            case .raw(let text):
                send(text, channel)
                channel.close(promise: nil)
            case .drip:
                send("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{", channel)
                drip(channel)
            case .silence: break
            }
        }

        private func drip(_ channel: any Channel) {
            guard channel.isActive else { return }
            channel.eventLoop.scheduleTask(in: .milliseconds(50)) {
                self.send(" ", channel)
                self.drip(channel)
            }
        }

        private func send(_ text: String, _ channel: any Channel) {
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        }
    }
}

extension Substring {
    fileprivate var trimmed: String { String(self.drop { $0 == " " }.prefix { $0.isNumber }) }
}
