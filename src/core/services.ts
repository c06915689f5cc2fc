import type { AccountsService, ServiceContext, ServiceFactory, Services } from './service.ts';

/** The services of a server. Throws a TypeError for what is no service, and where two cannot stand side by side. */
export class RegisteredServices {
  /** A Map: a service named `__proto__` or `constructor` is one that is not registered. */
  readonly byName: ReadonlyMap<string, AccountsService>;

  constructor(factories: Services, context: Omit<ServiceContext, 'name'>) {
    if (typeof factories !== 'object' || factories === null || Array.isArray(factories)) {
      throw new TypeError('the services must be an object, such as { password: password() }');
    }
    this.byName = new Map(
      Object.entries(factories).map(([name, factory]) => [name, create(name, factory, context)]),
    );
    for (const service of this.byName.values()) {
      if (service.factor) context.secondFactors.register(service.factor);
      context.waysIn.register((user) => service.countWays?.(user) ?? 0);
    }
    context.mailer.checkOverrides();
  }

  /** By its own name, or else by an alias. */
  find(name: string): AccountsService | undefined {
    const named = this.byName.get(name);
    return named ?? [...this.byName.values()].find(({ aliases }) => aliases?.includes(name));
  }
}

function create(
  name: string,
  factory: ServiceFactory,
  context: Omit<ServiceContext, 'name'>,
): AccountsService {
  if (typeof factory?.create === 'function') return factory.create({ ...context, name });
  throw new TypeError(`the service ${name} is not what its function returns: give { ${name}: ${name}() }`);
}
