import NIOCore

/// Carries what a channel received to an `AsyncSequence`, and stops reading the socket while the
/// consumer is behind.
final class InboundBridge<Element: Sendable>: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias Producer = NIOThrowingAsyncSequenceProducer<
        Element, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark,
        Delegate
    >

    /// Hears from the consumer, on any thread.
    struct Delegate: NIOAsyncSequenceProducerDelegate {
        let eventLoop: any EventLoop
        let bridge: NIOLoopBoundBox<InboundBridge<Element>?>

        func produceMore() { eventLoop.execute { bridge.value?.resumeReading() } }

        func didTerminate() { eventLoop.execute { bridge.value?.consumerLeft() } }
    }

    private let source: Producer.Source
    private let take: (ByteBuffer) throws -> [Element]
    private var context: ChannelHandlerContext?
    private var isPaused = false
    private var readWanted = false
    private var failure: (any Error)?

    /// Makes a bridge and its sequence, on `eventLoop`; `take` turns bytes into elements.
    static func make(
        on eventLoop: any EventLoop, limits: TransportLimits,
        take: @escaping (ByteBuffer) throws -> [Element]
    ) -> (InboundBridge<Element>, Producer) {
        let box = NIOLoopBoundBox<InboundBridge<Element>?>(nil, eventLoop: eventLoop)
        let made = NIOThrowingAsyncSequenceProducer.makeSequence(
            elementType: Element.self, failureType: (any Error).self,
            backPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark(
                lowWatermark: limits.inboundLowWatermark,
                highWatermark: limits.inboundHighWatermark),
            finishOnDeinit: false, delegate: Delegate(eventLoop: eventLoop, bridge: box))
        let bridge = InboundBridge(source: made.source, take: take)
        box.value = bridge
        return (bridge, made.sequence)
    }

    private init(source: Producer.Source, take: @escaping (ByteBuffer) throws -> [Element]) {
        self.source = source
        self.take = take
    }

    deinit { source.finish() }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        source.finish()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            let elements = try take(unwrapInboundIn(data))
            guard !elements.isEmpty else { return }
            switch source.yield(contentsOf: elements) {
            case .stopProducing: isPaused = true
            case .produceMore, .dropped: break
            }
        } catch {
            errorCaught(context: context, error: error)
        }
    }

    func read(context: ChannelHandlerContext) {
        if isPaused {
            readWanted = true
        } else {
            context.read()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if failure == nil { failure = error }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let failure { source.finish(failure) } else { source.finish() }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            errorCaught(context: context, error: TLSError.broken("nothing arrived for too long"))
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func resumeReading() {
        isPaused = false
        guard readWanted else { return }
        readWanted = false
        context?.read()
    }

    private func consumerLeft() { context?.close(promise: nil) }
}
