"""The findings about roles: those that anybody may assume, those that another account may assume, and those of which
that isn't known because what they trust wasn't read.
"""

from __future__ import annotations

from typing import Final

from analysis.job import Findings

_QUERY: Final = """
MATCH (role:AWSRole)
WITH role, split(role.arn, ':') AS parts
WITH role, parts[4] AS account, parts[0] + ':' + parts[1] + ':iam::' AS start,
     coalesce(role.trusts_anybody, []) AS anybody,
     COLLECT {
       MATCH (source:AWSPrincipal)-[:STS_ASSUMEROLE_ALLOW]->(role)
       WHERE split(source.arn, ':')[4] <> parts[4]
       RETURN source.arn ORDER BY source.arn
     } AS sources
WITH role, account, anybody, sources, size(anybody) + size(sources) > 0 AS open, COLLECT {
       CALL (role) {
         MATCH (role)-[:TRUSTS_AWS_PRINCIPAL]->(named:AWSPrincipal {type: 'AWS'})
         RETURN CASE WHEN named.arn CONTAINS ':' THEN split(named.arn, ':')[4] ELSE named.arn END AS other
         UNION
         UNWIND role.trusts_others AS other RETURN other
       }
       WITH other, CASE
         WHEN other = '*' AND role.trusts_anybody IS NULL THEN 'trusts anybody; its conditions were not read'
         WHEN other = '*' OR other = account THEN null
         WHEN other =~ '[0-9]{12}' AND NOT EXISTS {
           MATCH (known:AWSPrincipal)
           WHERE known.arn STARTS WITH start + other + ':' AND (known:AWSUser OR known:AWSRole)
         } THEN 'trusts account ' + other + ', which is not synced'
         WHEN other =~ 'o-[a-z0-9]+' AND NOT EXISTS {
           MATCH (:AWSOrganization {id: other})-[:RESOURCE*2..3]->(:AWSAccount)
         } THEN 'trusts organization ' + other + ', which is not synced'
         WHEN other =~ 'o-[a-z0-9]+' AND EXISTS {
           MATCH (:AWSOrganization {id: other})-[:RESOURCE*2..3]->(member:AWSAccount)
           WHERE NOT EXISTS {
             MATCH (known:AWSPrincipal)
             WHERE known.arn STARTS WITH start + member.id + ':' AND (known:AWSUser OR known:AWSRole)
           }
         } THEN 'trusts organization ' + other + ', whose accounts are not all synced'
         WHEN other =~ '[0-9]{12}|o-[a-z0-9]+' OR NOT other CONTAINS ' ' THEN null
         ELSE 'trusts ' + other
       END AS why
       WHERE why IS NOT NULL
       RETURN why ORDER BY why
     } AS whys
ORDER BY size(anybody) > 0 DESC, role.trusts_anybody_if IS NULL DESC, account, role.arn
RETURN count(CASE WHEN open THEN 1 END) AS count,
       count(CASE WHEN NOT open AND size(whys) > 0 THEN 1 END) AS unknown,
       collect(CASE
         WHEN size(anybody) > 0 THEN {
           role: role.arn, account: account, by: anybody + sources[..5], anybody: true,
           conditions: role.trusts_anybody_if
         }
         WHEN open THEN {role: role.arn, account: account, by: sources[..5]}
       END)[..10] AS examples,
       collect(CASE WHEN NOT open AND size(whys) > 0 THEN
         {role: role.arn, account: account, why: reduce(text = whys[0], one IN whys[1..] | text + '; ' + one)}
       END)[..5] AS unknown_examples
"""

FINDINGS: Final = Findings(
    name="roles that anybody or another account may assume",
    one="role that anybody or another account may assume",
    text=(
        "First those that anybody may assume: principals of any AWS account (`*`), or users of an identity provider "
        "open to anybody; then those that principals of another account may assume, by trust policies, their own "
        "policies and boundaries. The relationship has the conditions, if any. Not known: those that trust an account "
        "that isn't synced, or others whom they don't name. Users of SAML providers and service control policies are "
        "not considered."
    ),
    query=_QUERY,
)
