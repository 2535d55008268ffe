import COpenSSL
import Glibc

/// Certificates, the server's own first; owned.
final class CertificateChain {
    private(set) var certificates: [OpaquePointer?] = []

    init() {}

    deinit { certificates.forEach { X509_free($0) } }

    /// Those of a file of PEM; nil if it holds none.
    convenience init?(pem bytes: [UInt8]) {
        self.init()
        let memory = BIO_new_mem_buf(bytes, Int32(bytes.count))
        defer {
            BIO_free(memory)
            ERR_clear_error()
        }
        while let certificate = PEM_read_bio_X509(memory, nil, nil, nil) {
            certificates.append(certificate)
        }
        if certificates.isEmpty { return nil }
    }

    /// Adds a certificate that stays another's too.
    func add(_ certificate: OpaquePointer?) {
        if X509_up_ref(certificate) == 1 { certificates.append(certificate) }
    }

    /// Days until the first of them expires, rounded down; negative once one has.
    var daysLeft: Int? {
        certificates.compactMap { certificate -> Int? in
            var days: Int32 = 0
            var seconds: Int32 = 0
            guard ASN1_TIME_diff(&days, &seconds, nil, X509_get0_notAfter(certificate)) == 1 else {
                return nil
            }
            return days == 0 && seconds < 0 ? -1 : Int(days)
        }.min()
    }

    /// True if the first one is for this name or address.
    func isFor(_ name: String) -> Bool {
        guard let own = certificates.first else { return false }
        return X509_check_host(own, name, name.utf8.count, 0, nil) == 1
            || X509_check_ip_asc(own, name, 0) == 1
    }

    /// Why they are not to be trusted by the certificates of `authorities`; nil if they are.
    func distrust(by authorities: String, isFolder: Bool) -> String? {
        let code = certificates.withUnsafeMutableBufferPointer {
            belay_verify_file($0.baseAddress, Int32($0.count), authorities, isFolder ? 1 : 0)
        }
        ERR_clear_error()
        return code == X509_V_OK ? nil : String(cString: X509_verify_cert_error_string(Int(code)))
    }
}
