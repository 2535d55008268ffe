import COpenSSL
import FleetTransport
import Glibc

/// A TLS client straight on OpenSSL, to say what `TLSContext` would not.
enum BareTLSClient {
    /// Connects and reads; gives nil if the server let it in and said nothing within a moment, else
    /// the error in words.
    static func refusal(port: Int, alpn: String?, versionMax: Int32 = TLS1_3_VERSION) throws
        -> String?
    {
        let socket = try BareSocket(port: port)
        guard let context = SSL_CTX_new(TLS_client_method()) else { return "no context" }
        defer { SSL_CTX_free(context) }
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(versionMax), nil)
        if let alpn {
            let name = Array(alpn.utf8)
            let list = [UInt8(name.count)] + name
            SSL_CTX_set_alpn_protos(context, list, UInt32(list.count))
        }
        guard let connection = SSL_new(context) else { return "no connection" }
        defer { SSL_free(connection) }
        SSL_set_fd(connection, socket.descriptor)
        guard SSL_connect(connection) == 1 else { return words() }
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = SSL_read(connection, &bytes, 16)
        return count > 0 ? nil : words()
    }

    private static func words() -> String {
        let code = ERR_get_error()
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "closed"
    }
}
