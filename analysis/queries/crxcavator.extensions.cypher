// risky-extensions: Which extensions have a risk_total over 200, and who installed them
MATCH (user:GSuiteUser)-[:INSTALLS]->(extension:ChromeExtension)
WHERE extension.risk_total > 200
RETURN extension.name AS extension, extension.version AS version, extension.risk_total AS risk,
       collect(user.email) AS installed_by
ORDER BY risk DESC, extension, version;

// extensions-reading-every-site: Which extensions can read every website, and how many people have them
MATCH (extension:ChromeExtension)
WHERE any(warning IN extension.permissions_warnings WHERE warning CONTAINS 'all your data')
RETURN extension.name AS extension, collect(DISTINCT extension.version) AS versions,
       count { (:GSuiteUser)-[:INSTALLS]->(extension) } AS people
ORDER BY people DESC, extension;

// unscanned-extensions: Which extensions were never scanned, so that nothing is known about their risk
MATCH (extension:ChromeExtension)
WHERE extension.risk_total IS NULL
RETURN extension.extension_id AS extension, extension.version AS version
ORDER BY extension, version;
