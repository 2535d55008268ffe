import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server on loopback that answers as a test says; ends with `stop`.
final class LoopbackServer: Sendable {
    struct Request: Sendable {
        var method: HTTPMethod
        var uri: String
        var headers: HTTPHeaders
        var body: [UInt8]
    }

    struct Answer: Sendable {
        var status: HTTPResponseStatus = .ok
        var body: [UInt8] = []
        /// True closes the connection instead of answering.
        var hangsUp = false
        /// True never answers.
        var isSilent = false
    }

    let port: Int
    private let channel: any Channel
    private let storage: Storage

    init(port: Int = 0, answer: @escaping @Sendable (Request, Int) -> Answer) async throws {
        let seen = Storage()
        channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Handler(seen: seen, answer: answer))
                }
            }.bind(host: "127.0.0.1", port: port).get()
        self.port = channel.localAddress?.port ?? 0
        storage = seen
    }

    /// What was asked so far.
    var asked: [Request] { storage.all }

    func stop() async throws { try await channel.close() }

    private final class Storage: Sendable {
        private let requests = Mutex<[Request]>([])
        var all: [Request] { requests.withLock { $0 } }
        func add(_ request: Request) -> Int {
            requests.withLock {
                $0.append(request)
                return $0.count
            }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let seen: Storage
        private let answer: @Sendable (Request, Int) -> Answer
        private var current: Request?

        init(seen: Storage, answer: @escaping @Sendable (Request, Int) -> Answer) {
            self.seen = seen
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                current = Request(
                    method: head.method, uri: head.uri, headers: head.headers, body: [])
            case .body(let bytes): current?.body += Array(bytes.readableBytesView)
            case .end:
                guard let request = current else { return }
                reply(answer(request, seen.add(request)), to: request, context: context)
            }
        }

        private func reply(_ answer: Answer, to request: Request, context: ChannelHandlerContext) {
            if answer.isSilent { return }
            if answer.hangsUp {
                context.close(promise: nil)
                return
            }
            let headers = HTTPHeaders([("Content-Length", "\(answer.body.count)")])
            let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if request.method != .HEAD {
                context.write(
                    wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))),
                    promise: nil)
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
