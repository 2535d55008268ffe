import FleetWire
import Glibc
import HostProcesses
import Validation

/// The check `tls_certificate`.
struct TLSCertificateValidator: Validator {
    let spec = ValidatorSpec.tlsCertificate
    private static let remedy = "renew the certificate, or correct the chain that the server sends"

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { cancellation in
            if let host = parameters.text("host") {
                Self.look(server: host, parameters, context, cancellation)
            } else if let file = parameters.text("file") {
                Self.look(file: file, parameters, context)
            } else {
                Self.look(connectionOf: parameters)
            }
        }
    }

    private static func look(
        server host: String, _ parameters: CheckParameters, _ context: LookContext,
        _ cancellation: OwnThread.Cancellation
    ) -> Finding {
        let name = parameters.text("name") ?? host
        let port = parameters.whole("port") ?? 443
        let probe = TLSProbe(
            host: host, port: "\(port)", name: name,
            isPostgres: parameters.text("protocol") == "postgres")
        do throws(TLSProbe.Failure) {
            let chain = try probe.certificates(context.deadline, cancellation)
            var judgement = Judgement()
            judgeTrust(chain, authorities(parameters, context), &judgement)
            return judge(chain, "\(host):\(port)", name, parameters, judgement)
        } catch {
            return error.isUntold ? .unknown(error.reason, remedy) : .fail(error.reason, remedy)
        }
    }

    private static func look(
        file: String, _ parameters: CheckParameters, _ context: LookContext
    ) -> Finding {
        guard access(file, F_OK) == 0 else { return .fail("\(file) is missing", remedy) }
        guard let bytes = SmallFile.bytes(file), let chain = CertificateChain(pem: bytes) else {
            return .unknown("\(file) holds no certificate that can be read", "correct the file")
        }
        var judgement = Judgement()
        if parameters.text("authorities") != nil {
            judgeTrust(chain, authorities(parameters, context), &judgement)
        }
        return judge(chain, file, parameters.text("name"), parameters, judgement)
    }

    private static func judge(
        _ chain: CertificateChain, _ place: String, _ name: String?, _ parameters: CheckParameters,
        _ judgement: Judgement
    ) -> Finding {
        var judgement = judgement
        guard let days = chain.daysLeft else {
            return .unknown("\(place) shows no certificate with an end", remedy)
        }
        if let name, !chain.isFor(name) { judgement.note(.fail, "it is not for \(name)") }
        if days < 0 { judgement.note(.fail, "it has expired") }
        for (bound, status) in [("days_min", CheckStatus.fail), ("days_warn", .warn)] {
            if let least = parameters.whole(bound), days >= 0, days < least {
                judgement.note(status, "it expires within \(bound), \(least) days")
            }
        }
        return judgement.finding(
            "\(place): \(chain.certificates.count) certificates, the first to expire in \(days) days",
            remedy: remedy)
    }

    // MARK: - Trust

    private enum Authorities {
        case file(String)
        case folder(String)
        case none(String)
    }

    /// Those of the check, or of the system: Debian's bundle or folder.
    private static func authorities(
        _ parameters: CheckParameters, _ context: LookContext
    ) -> Authorities {
        let places =
            parameters.text("authorities").map { [$0] }
            ?? [
                context.systemFile("/etc/ssl/certs/ca-certificates.crt"),
                context.systemFile("/etc/pki/tls/certs/ca-bundle.crt"),
            ]
        for place in places {
            var status = stat()
            guard stat(place, &status) == 0 else { continue }
            return status.st_mode & S_IFMT == S_IFDIR ? .folder(place) : .file(place)
        }
        return .none(places[0])
    }

    private static func judgeTrust(
        _ chain: CertificateChain, _ authorities: Authorities, _ judgement: inout Judgement
    ) {
        switch authorities {
        case .none(let place): judgement.note(.unknown, "there are no authorities at \(place)")
        case .file(let path):
            guard let bytes = SmallFile.bytes(path), CertificateChain(pem: bytes) != nil else {
                return judgement.note(.unknown, "\(path) holds no certificate that can be read")
            }
            if let why = chain.distrust(by: path, isFolder: false) {
                judgement.note(.fail, "not trusted: \(why)")
            }
        case .folder(let path):
            if let why = chain.distrust(by: path, isFolder: true) {
                judgement.note(.fail, "not trusted: \(why)")
            }
        }
    }

    // MARK: - Connection strings

    private static func look(connectionOf parameters: CheckParameters) -> Finding {
        var text = parameters.text("connection")
        var place = "the connection string"
        if let file = parameters.text("connection_file") {
            place = "the connection string of \(file)"
            guard let content = SmallFile.text(file) else {
                return .unknown("\(file) cannot be read", "correct the path or its permissions")
            }
            text = value(of: parameters.text("variable"), in: content)
        }
        let remedy = "add sslmode=verify-full and the authorities to it"
        guard let text, !text.isEmpty else {
            return .unknown("\(place) is not there", "correct the check, or the file")
        }
        switch ConnectionString.judge(text) {
        case .checked(let why): return .pass("\(place): \(why)")
        case .unchecked(let why): return .warn("\(place): \(why)", remedy)
        case .clear(let why): return .fail("\(place): \(why)", remedy)
        case .strange: return .unknown("\(place) is of no kind that is known", remedy)
        }
    }

    private static func value(of variable: String?, in content: String) -> String? {
        let lines = content.split(whereSeparator: \.isNewline)
        guard let variable else { return lines.first.map(String.init) }
        for line in lines {
            let line = line.drop { $0 == " " }
            guard line.hasPrefix(variable + "=") else { continue }
            return line.dropFirst(variable.count + 1).filter { !"\"".contains($0) }
        }
        return nil
    }
}
