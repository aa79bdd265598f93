// In which regions is AWS Config off, or can't deliver
MATCH (account:AWSAccount)-[:RESOURCE]->(recorder:AWSConfigurationRecorder)
WHERE NOT recorder.recording OR recorder.last_status = 'FAILURE'
RETURN account.id AS account, recorder.region AS region, recorder.name AS recorder, recorder.recording AS recording, recorder.last_error_code AS error
ORDER BY account, region, recorder;
