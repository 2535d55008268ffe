import FleetWire
import HostProcesses
import Validation

/// The check `memory_available`: MemAvailable of /proc/meminfo (proc_meminfo(5)).
struct MemoryAvailableValidator: Validator {
    let spec = ValidatorSpec.memoryAvailable

    func look(_ parameters: CheckParameters, _ context: LookContext) async -> Finding {
        await context.blocking { _ in
            let path = context.systemFile("/proc/meminfo")
            guard let text = SmallFile.text(path) else {
                return .unknown("\(path) cannot be read", "look whether /proc is mounted")
            }
            guard let available = MemoryFigures.kibibytes("MemAvailable", in: text),
                let total = MemoryFigures.kibibytes("MemTotal", in: text), total > 0
            else {
                return .unknown(
                    "\(path) tells no MemAvailable and MemTotal", "use a kernel of 3.14 or later")
            }
            return Self.judge(available: available, total: total, parameters)
        }
    }

    private static func judge(
        available: UInt64, total: UInt64, _ parameters: CheckParameters
    ) -> Finding {
        let bytes = ByteCount(available * 1024)
        let percent = Double(available) / Double(total) * 100
        var judgement = Judgement()
        for (name, status) in [("bytes_min", CheckStatus.fail), ("bytes_warn", .warn)] {
            if let least = parameters.bytes(name), bytes < least {
                judgement.note(status, "less than \(name), \(least.text)")
            }
        }
        for (name, status) in [("percent_min", CheckStatus.fail), ("percent_warn", .warn)] {
            if let least = parameters.number(name), percent < least {
                judgement.note(status, "less than \(name), \(least)%")
            }
        }
        let tenths = Int(percent * 10)
        return judgement.finding(
            "\(bytes.text) of \(ByteCount(total * 1024).text) available "
                + "(\(tenths / 10).\(tenths % 10)%)",
            remedy: "end what takes the memory, or give the host more")
    }
}

/// Figures of /proc/meminfo.
enum MemoryFigures {
    /// The figure called `key`; nil if it is not there or makes no sense.
    static func kibibytes(_ key: String, in text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix(key + ":") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count == 3, words[2] == "kB", let number = UInt64(words[1]),
                number < 1 << 50
            else { return nil }
            return number
        }
        return nil
    }
}
