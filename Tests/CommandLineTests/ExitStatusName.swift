@testable import belay

/// Testing has a type of the same name; here it is always the command's.
typealias ExitStatus = belay.ExitStatus
