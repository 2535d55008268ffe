import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

/// Says why a request got no answer.
enum ConnectionFailure {
    static func failure(
        attempt: String, configuration: ClientConfiguration, error: any Error
    ) -> CommandFailure {
        let address = configuration.address
        if isCertificateProblem(error) {
            let trusted =
                configuration.authority.map { "the authority in \($0)" }
                ?? "any authority of this system"
            return CommandFailure(
                .unreachable,
                "\(attempt): the certificate of \(address) is not trusted: it was not issued by "
                    + "\(trusted), or not for this name",
                remedy: "set BELAY_CACERT to a copy of the coordinator's authority.pem, and "
                    + "BELAY_ADDR to a name or address that `belay-coordinator init --address` got")
        }
        if isTimeout(error) {
            return CommandFailure(
                .timedOut, "\(attempt): \(address) did not answer in time",
                remedy: "look whether the coordinator is overloaded or a firewall drops packets, "
                    + "then try again")
        }
        return CommandFailure(
            .unreachable,
            "\(attempt): the coordinator at \(address) cannot be reached: "
                + reason(error),
            remedy: "look whether belay-coordinator runs there and BELAY_ADDR is right")
    }

    private static func isCertificateProblem(_ error: any Error) -> Bool {
        if let error = error as? NIOSSLError, case .handshakeFailed(let cause) = error {
            return String(describing: cause).contains("CERTIFICATE_VERIFY_FAILED")
        }
        if let error = error as? NIOSSLExtraError { return error == .failedToValidateHostname }
        return String(describing: error).contains("CERTIFICATE_VERIFY_FAILED")
    }

    private static func isTimeout(_ error: any Error) -> Bool {
        guard let error = error as? HTTPClientError else { return false }
        return [
            .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout,
        ].contains(error)
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first {
                return reason(first.error)
            }
            if error.dnsAError != nil || error.dnsAAAAError != nil {
                return "its name \"\(error.host)\" is not known"
            }
            return "nothing listens there"
        case let error as IOError:
            return error.description.contains("refused") || error.errnoCode == 111
                ? "connection refused" : error.description
        case let error as HTTPClientError where error == .connectTimeout:
            return "no answer within \(APIClient.Limits.connectSeconds) s"
        case let error as HTTPClientError where error == .tlsHandshakeTimeout:
            return "its TLS did not answer"
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            return "it closed the connection"
        case ChannelError.connectTimeout:
            return "no answer within \(APIClient.Limits.connectSeconds) s"
        case is NIOSSLError: return "it does not speak TLS 1.3"
        default: return String(describing: error)
        }
    }
}
