import FleetWire

extension PlanChecker {
    mutating func checkComponents(_ path: PlanPath) {
        var seen: Set<ComponentName> = []
        for component in plan.components {
            let here = path[component.name.rawValue]
            if ComponentName(component.name.rawValue) == nil {
                error(here, "`\(component.name)` is not a name for a component", atKey: true)
            } else if !seen.insert(component.name).inserted {
                error(here, "component `\(component.name)` stands twice", atKey: true)
            }
            if case .unknown(let name) = component.driver {
                error(here, "no driver is called `\(name)`")
            } else {
                checkDriver(component.driver, here[component.driver.name])
            }
        }
        checkOverlaps(path)
    }

    private mutating func checkDriver(_ driver: ComponentDriver, _ path: PlanPath) {
        switch driver {
        case .service(let control): checkService(control, path)
        case .package(let package): checkPackage(package, path)
        case .postgres(let postgres): checkPostgres(postgres, path)
        case .command(let command): checkCommand(command, path)
        case .unknown: break
        case .files, .config, .flags, .sqlite, .btrfs:
            let paths = Self.paths(of: driver)
            if paths.isEmpty { error(path["paths"], "no path is named; nothing would be captured") }
            for (index, name) in paths.enumerated() {
                let here = Self.place(index, of: driver, path)
                if name.contains("{{") {
                    error(here, "paths of components are the same on all hosts; no templates here")
                } else {
                    checkPath(name, here)
                    if name == "/" { error(here, "the whole host cannot be a component") }
                }
            }
        }
    }

    private mutating func checkService(_ control: ServiceControl, _ path: PlanPath) {
        let commands = [
            ("start", control.start), ("stop", control.stop), ("status", control.status),
        ]
        let given = commands.filter { $0.1 != nil }
        if control.unit != nil {
            if !given.isEmpty {
                error(path, "a service has `unit`, or `start`, `stop` and `status`, not both")
            }
            checkTemplate(control.unit ?? "", path["unit"])
            if control.unit?.isEmpty == true { error(path["unit"], "a unit has a name") }
        } else if given.count < 3 {
            let missing = commands.filter { $0.1 == nil }.map { "`\($0.0)`" }
            error(
                path,
                given.isEmpty
                    ? "a service needs `unit`, or `start`, `stop` and `status`"
                    : "a service without `unit` needs " + missing.joined(separator: " and ")
                        + " too")
        }
        for (name, argv) in given {
            for (index, text) in (argv ?? []).enumerated() {
                checkTemplate(text, path[name][index])
            }
            if argv?.first?.isEmpty ?? true { error(path[name], "no program is named") }
        }
    }

    /// The same path in two components is an error: which capture would win? One inside another's
    /// tree is captured twice, which is only worth a warning.
    private mutating func checkOverlaps(_ path: PlanPath) {
        var seen: [(name: String, component: ComponentSpec)] = []
        for component in plan.components {
            let here = path[component.name.rawValue][component.driver.name]
            for (index, name) in Self.paths(of: component.driver).enumerated() {
                let clean = Self.clean(name)
                let place = Self.place(index, of: component.driver, here)
                for other in seen {
                    if other.name == clean {
                        error(
                            place,
                            "`\(name)` belongs to component `\(other.component.name)` already; a "
                                + "path belongs to one component")
                    } else if other.component.name != component.name {
                        warnInside(clean, component, other.name, other.component, place)
                    }
                }
                seen.append((clean, component))
            }
        }
    }

    private mutating func warnInside(
        _ left: String, _ component: ComponentSpec, _ right: String, _ other: ComponentSpec,
        _ path: PlanPath
    ) {
        let (inner, outer, owner) =
            left.hasPrefix(right + "/")
            ? (left, right, other) : (right, left, component)
        guard inner.hasPrefix(outer + "/") else { return }
        if case .files(_, let exclude, _) = owner.driver, !exclude.isEmpty { return }
        warn(
            path,
            "`\(inner)` lies inside `\(outer)` of component `\(owner.name)` and is captured twice; "
                + "put it under `exclude` there")
    }

    /// True if a component captures `path`, which may hold templates: then what stands before the
    /// first one decides.
    func isCaptured(_ path: String, asDatabase: Bool) -> Bool {
        let fixed = path.split(separator: "{{", maxSplits: 1, omittingEmptySubsequences: false)
        let isWhole = fixed.count == 1
        let name = isWhole ? Self.clean(path) : String(fixed.first ?? "")
        return plan.components.contains { component in
            switch component.driver {
            case .unknown: true
            case .service, .package, .postgres, .command: false
            case .sqlite(let database): asDatabase && isWhole && Self.clean(database) == name
            case .flags(let file): isWhole && Self.clean(file) == name
            case .files, .config, .btrfs:
                Self.paths(of: component.driver).map(Self.clean).contains { tree in
                    (isWhole && tree == name) || name.hasPrefix(tree + "/")
                }
            }
        }
    }

    static func paths(of driver: ComponentDriver) -> [String] {
        switch driver {
        case .files(let paths, _, _), .config(let paths, _): paths
        case .flags(let path), .sqlite(let path): [path]
        case .btrfs(let component): [component.path]
        case .service, .package, .postgres, .command, .unknown: []
        }
    }

    private static func place(_ index: Int, of driver: ComponentDriver, _ path: PlanPath)
        -> PlanPath
    {
        switch driver {
        case .files, .config: path["paths"][index]
        case .flags, .sqlite, .service, .package, .postgres, .btrfs, .command, .unknown:
            path["path"]
        }
    }

    private static func clean(_ path: String) -> String {
        "/" + path.split(separator: "/").joined(separator: "/")
    }
}
