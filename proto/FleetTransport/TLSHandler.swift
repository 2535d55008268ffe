package import NIOCore

/// Says that the handshake is done and who is there.
struct TLSReady: Sendable {
    let service: TLSContext.Service
    let peer: PeerIdentity?
    let resumed: Bool
}

/// Wraps one `TLSEngine` into a channel: cipher bytes below, plain bytes above.
///
/// States: shaking hands → open → closed; a failure in any state fires an error once and closes.
package final class TLSHandler: ChannelDuplexHandler {
    /// Cipher bytes from the network.
    package typealias InboundIn = ByteBuffer
    /// Plain bytes.
    package typealias InboundOut = ByteBuffer
    /// Plain bytes to send.
    package typealias OutboundIn = ByteBuffer
    /// Cipher bytes for the network.
    package typealias OutboundOut = ByteBuffer

    private enum State { case shakingHands, open, closed }

    private let engine: TLSEngine
    private let timeout: TimeAmount
    private var state = State.shakingHands
    private var deadline: Scheduled<Void>?

    /// A handler at the beginning of a connection.
    package init(_ engine: TLSEngine, handshakeTimeout: TimeAmount) {
        self.engine = engine
        timeout = handshakeTimeout
    }

    /// Starts the handshake if the channel is already active.
    package func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            guard self.state == .shakingHands else { return }
            self.fail(.handshakeTimeout, context: bound.value)
        }
        if context.channel.isActive { drive(context) }
    }

    /// Forgets the deadline.
    package func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    /// Starts the handshake.
    package func channelActive(context: ChannelHandlerContext) {
        drive(context)
        context.fireChannelActive()
    }

    /// Ends; a handshake that was cut off is an error.
    package func channelInactive(context: ChannelHandlerContext) {
        if state == .shakingHands {
            state = .closed
            context.fireErrorCaught(TLSError.handshake("the peer closed during the handshake"))
        }
        state = .closed
        deadline?.cancel()
        context.fireChannelInactive()
    }

    /// Takes cipher bytes.
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        guard state != .closed else { return }
        buffer.withUnsafeReadableBytes { engine.receive($0) }
        drive(context)
    }

    /// Encrypts and sends.
    package func write(
        context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
    ) {
        let buffer = unwrapOutboundIn(data)
        guard state == .open else {
            promise?.fail(TLSError.closed)
            return
        }
        do throws(TLSError) {
            var failure: TLSError?
            buffer.withUnsafeReadableBytes { bytes in
                do throws(TLSError) { try engine.write(bytes) } catch { failure = error }
            }
            if let failure { throw failure }
            let cipher = engine.takeOutput()
            context.write(wrapOutboundOut(ByteBuffer(bytes: cipher)), promise: promise)
        } catch {
            promise?.fail(error)
            fail(error, context: context)
        }
    }

    /// Says goodbye, then closes.
    package func close(
        context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?
    ) {
        if state == .open {
            state = .closed
            engine.close()
            flushEngine(context)
        }
        context.close(mode: mode, promise: promise)
    }

    private func drive(_ context: ChannelHandlerContext) {
        do throws(TLSError) {
            if state == .shakingHands {
                let done = try engine.handshake()
                flushEngine(context)
                guard done else { return }
                try open(context)
            }
            while state == .open {
                let bytes = try engine.read()
                flushEngine(context)
                guard let bytes else {
                    context.close(promise: nil)
                    return
                }
                guard !bytes.isEmpty else { return }
                context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: bytes)))
            }
        } catch {
            flushEngine(context)
            fail(error, context: context)
        }
    }

    private func open(_ context: ChannelHandlerContext) throws(TLSError) {
        let peer = try engine.peer()
        guard let service = engine.service else { throw .identity("no protocol was agreed on") }
        state = .open
        deadline?.cancel()
        let ready = TLSReady(service: service, peer: peer, resumed: engine.wasResumed)
        context.fireUserInboundEventTriggered(ready)
    }

    private func flushEngine(_ context: ChannelHandlerContext) {
        let bytes = engine.takeOutput()
        guard !bytes.isEmpty else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private func fail(_ error: TLSError, context: ChannelHandlerContext) {
        guard state != .closed else { return }
        state = .closed
        deadline?.cancel()
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}
