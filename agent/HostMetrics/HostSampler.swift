/// Samples of this host, from procfs and sysfs.
package struct HostSampler {
    /// A sampler that reads below `procfs`; `root` is the path whose file system is measured.
    package init(procfs: String = "/proc", root: String = "/") {}

    /// The present values by metric name. A source that is missing or ill-formed gives no sample.
    package mutating func sample() -> [String: Double] { [:] }
}
