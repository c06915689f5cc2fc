// What accounts-js asks of a database, for sign-up, login, sessions and refresh, in memory.
const { randomUUID } = require('node:crypto');

function memoryDatabase() {
  const users = new Map();
  const emails = new Map();
  const usernames = new Map();
  const hashes = new Map();
  const sessions = new Map();
  const sessionsByToken = new Map();
  return {
    async createUser({ email, username, password, ...rest }) {
      const id = randomUUID();
      const user = {
        id,
        ...rest,
        username,
        emails: email ? [{ address: email.toLowerCase(), verified: false }] : [],
        services: { password: { bcrypt: password } },
        deactivated: false,
      };
      users.set(id, user);
      if (email) emails.set(email.toLowerCase(), user);
      if (username) usernames.set(username, user);
      hashes.set(id, password);
      return id;
    },
    findUserById: async (id) => users.get(id) ?? null,
    findUserByEmail: async (email) => emails.get(email.toLowerCase()) ?? null,
    findUserByUsername: async (username) => usernames.get(username) ?? null,
    findPasswordHash: async (id) => hashes.get(id) ?? null,
    async createSession(userId, token, connection, extraData) {
      const id = randomUUID();
      const now = Date.now();
      const session = {
        id,
        userId,
        token,
        valid: true,
        ...connection,
        extraData,
        createdAt: now,
        updatedAt: now,
      };
      sessions.set(id, session);
      sessionsByToken.set(token, session);
      return id;
    },
    findSessionById: async (id) => sessions.get(id) ?? null,
    findSessionByToken: async (token) => sessionsByToken.get(token) ?? null,
    async updateSession(id, connection, newToken) {
      const session = sessions.get(id);
      if (newToken) {
        sessionsByToken.delete(session.token);
        session.token = newToken;
        sessionsByToken.set(newToken, session);
      }
      Object.assign(session, connection, { updatedAt: Date.now() });
    },
    async invalidateSession(id) {
      sessions.get(id).valid = false;
    },
  };
}

module.exports = { memoryDatabase };
