import FleetWire
import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers `GET` and `HEAD /v1/blobs/<sha256>` with `Range: bytes=a-` or `bytes=a-b`, and refuses
/// everything else (wire-v1.md, section "Artifacts").
final class BlobServer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let chunkBytes = 65_536

    private let artifact: @Sendable (Digest) -> String?
    private let files = NonBlockingFileIO(threadPool: .singleton)

    init(artifact: @escaping @Sendable (Digest) -> String?) { self.artifact = artifact }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let request) = unwrapInboundIn(data) else { return }
        guard request.method == .GET || request.method == .HEAD else {
            answer(.methodNotAllowed, context)
            return
        }
        let prefix = "/v1/blobs/"
        guard request.uri.hasPrefix(prefix),
            let digest = Digest(String(request.uri.dropFirst(prefix.count))),
            let path = artifact(digest)
        else {
            answer(.notFound, context)
            return
        }
        serve(path, request, context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(_ status: HTTPResponseStatus, _ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(
            version: .http1_1, status: status,
            headers: ["content-length": "0", "connection": "close"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }

    private func serve(
        _ path: String, _ request: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        files.openFile(_deprecatedPath: path, eventLoop: context.eventLoop).whenComplete { result in
            let (me, context) = bound.value
            switch result {
            case .failure: me.answer(.notFound, context)
            case .success(let (handle, region)): me.send(handle, region, request, context)
            }
        }
    }

    private func send(
        _ handle: NIOFileHandle, _ region: FileRegion, _ request: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        let size = region.endIndex
        guard let range = Self.range(request.headers.first(name: "range"), size: size) else {
            try? handle.close()
            answer(.rangeNotSatisfiable, context)
            return
        }
        let isPart = request.headers.contains(name: "range")
        var head = HTTPResponseHead(version: .http1_1, status: isPart ? .partialContent : .ok)
        head.headers.add(name: "content-length", value: "\(range.count)")
        head.headers.add(name: "content-type", value: "application/octet-stream")
        head.headers.add(name: "accept-ranges", value: "bytes")
        if isPart {
            let last = max(range.lowerBound, range.upperBound - 1)
            head.headers.add(
                name: "content-range", value: "bytes \(range.lowerBound)-\(last)/\(size)")
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let part = FileRegion(
            fileHandle: handle, readerIndex: range.lowerBound,
            endIndex: request.method == .HEAD ? range.lowerBound : range.upperBound)
        files.readChunked(
            fileRegion: part, chunkSize: Self.chunkBytes, allocator: context.channel.allocator,
            eventLoop: context.eventLoop
        ) { chunk in
            let (me, context) = bound.value
            return context.writeAndFlush(me.wrapOutboundOut(.body(.byteBuffer(chunk))))
        }.whenComplete { result in
            let (me, context) = bound.value
            try? handle.close()
            switch result {
            case .success: context.writeAndFlush(me.wrapOutboundOut(.end(nil)), promise: nil)
            case .failure: context.close(promise: nil)
            }
        }
    }

    /// The bytes asked for; nil if the range cannot be satisfied.
    static func range(_ header: String?, size: Int) -> Range<Int>? {
        guard let header else { return 0..<size }
        guard header.hasPrefix("bytes=") else { return nil }
        let ends = header.dropFirst(6).split(
            separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, let from = Int(ends[0]), from >= 0, from <= size else { return nil }
        if ends[1].isEmpty { return from..<size }
        guard let last = Int(ends[1]), last >= from, from < size else { return nil }
        return from..<min(last, size - 1) + 1
    }
}
