import NIOCore
import NIOPosix

/// The threads of the agent's connections: one, as it has one session and few questions. Each more
/// would cost memory at rest.
enum AgentThreads {
    static let loop: any EventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
}
